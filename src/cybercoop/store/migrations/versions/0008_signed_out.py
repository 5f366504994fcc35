"""Sessions of the pages that were signed out before their end."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add what is new."""
    op.create_table(
        "signed_out",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("signed_out_by_age", "signed_out", ["expires"], unique=False)
