"""Tags by which the center finds organisations, and what lets old notices be found."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what is new."""
    tags = sa.Column("tags", sa.Text(), server_default="", nullable=False)
    op.add_column("organisations", tags)
    op.create_index("deliveries_by_age", "deliveries", ["at"], unique=False)
    op.create_index(
        "notices_by_age",
        "notices",
        ["at"],
        unique=False,
        sqlite_where=sa.text("subject_de <> ''"),
        postgresql_where=sa.text("subject_de <> ''"),
    )
