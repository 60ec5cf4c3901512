"""Migrations of the schema, run by `backend.storage.sql.migrate`."""
