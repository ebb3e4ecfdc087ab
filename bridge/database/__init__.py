"""The database: engines, the one writer, the tables, what guards them, and their migrations."""
