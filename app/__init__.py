"""A web service on SQLite or PostgreSQL. Read the files in this order:

1. ``app/main.py``               the whole service on one page
2. ``app/features/__init__.py``  the table of contents, then the folder of a feature
3. ``app/settings.py``           everything that can be set
4. ``app/db/session.py``         where a transaction begins and where it commits
5. ``app/db/migrations.py``      how the schema changes
"""
