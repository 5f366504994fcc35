"""Run migrations on the connection that ``store.upgrade`` hands in."""

from alembic import context

from cybercoop.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
