"""Tags: words by which the center finds organisations."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what is new."""
    tags = sa.Column("tags", sa.Text(), server_default="", nullable=False)
    op.add_column("organisations", tags)
