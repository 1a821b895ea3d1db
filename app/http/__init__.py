"""How the web works here: errors, health, middleware, pages of a list, API documentation."""
