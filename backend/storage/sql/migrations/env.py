"""How Alembic reaches the database: over the connection that `migrate` hands it, inside that transaction."""

from alembic import context

from backend.storage.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
)
context.run_migrations()
