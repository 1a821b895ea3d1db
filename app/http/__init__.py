"""How the web works here: errors, health, middleware, pages and forms, pages of a list, API documentation."""
