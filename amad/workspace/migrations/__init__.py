"""Schema of the workspace database, step by step (alembic)."""
