"""Places that wait remember that what stood there must go out of sight."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what is new."""
    op.add_column(
        "recompute",
        sa.Column("shut", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
