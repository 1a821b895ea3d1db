"""How data is kept: the URL, the engine, sessions, column types and migrations."""
