"""What alembic runs: migrates over the connection that `amad.workspace.database` hands in."""

from alembic import context

from amad.workspace.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
