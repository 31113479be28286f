"""What each migration says to SQLite, by subject; their order is in `store/schema.py`.

What was released is never amended: a change is a migration of its own.
"""
