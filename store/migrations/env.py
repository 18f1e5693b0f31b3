"""Alembic's door: it is only ever entered from `store.migrate`, which hands the connection over."""

from alembic import context

from store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a column in place: alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
    user_module_prefix="moments.",
)
with context.begin_transaction():
    context.run_migrations()
