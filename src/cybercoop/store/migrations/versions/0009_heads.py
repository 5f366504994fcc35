"""What ended is told when it comes back under another id, and found when it does so elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ENDED = sa.text(
    "UPDATE releases SET latest = true WHERE revoked AND NOT latest AND NOT EXISTS ("
    "SELECT 1 FROM releases AS later WHERE later.stix_id = releases.stix_id "
    "AND later.lock = releases.lock AND later.date_added > releases.date_added)"
)


def upgrade() -> None:
    """Tell the newest of a place from the latest of an id, and show what nobody was told."""
    op.add_column(
        "releases", sa.Column("head", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.execute(sa.text("UPDATE releases SET head = false WHERE NOT latest"))
    op.drop_index("releases_live", table_name="releases")
    op.create_index(
        "releases_live",
        "releases",
        ["key", "lock"],
        unique=True,
        sqlite_where=sa.text("head = 1"),
        postgresql_where=sa.text("head"),
    )
    op.execute(_ENDED)
    op.create_index(
        "contributions_ended",
        "contributions",
        ["org_id", "stix_id"],
        sqlite_where=sa.text("deleted = 1"),
        postgresql_where=sa.text("deleted"),
    )
