"""Guard, device feeds, sources, and what a push gave together."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what is new; releases learn what devices can block by in the next cycles."""
    _contributions()
    _lost()
    _releases()
    _assets()
    _exceptions()
    _holds()
    _canaries()
    _device_feeds()
    _device_tokens()
    _sources()
    _answers()


def _contributions() -> None:
    op.add_column("contributions", sa.Column("push_id", sa.String(length=36), nullable=True))
    op.create_index(
        "contributions_by_push",
        "contributions",
        ["push_id", "org_id"],
        unique=False,
        sqlite_where=sa.text("push_id IS NOT NULL"),
        postgresql_where=sa.text("push_id IS NOT NULL"),
    )


def _lost() -> None:
    op.create_index(
        "contributions_lost",
        "contributions",
        ["key"],
        unique=False,
        sqlite_where=sa.text("counts = 0"),
        postgresql_where=sa.text("NOT counts"),
    )


def _releases() -> None:
    op.add_column("releases", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("releases", sa.Column("value", sa.Text(), nullable=True))
    op.add_column("releases", sa.Column("confidence", sa.SmallInteger(), nullable=True))
    op.add_column(
        "releases",
        sa.Column("warned", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_index(
        "releases_entries",
        "releases",
        [
            "lock",
            "date_added",
            "kind",
            "value",
            "confidence",
            "created",
            "effective_until",
            "warned",
            "latest",
            "revoked",
        ],
        unique=False,
        sqlite_where=sa.text("latest = 1 AND revoked = 0 AND kind IS NOT NULL"),
        postgresql_where=sa.text("latest AND NOT revoked AND kind IS NOT NULL"),
    )
    # The projector looks at every indicator once more and fills the new columns in; readers
    # see no new version of any of them.
    op.execute("DELETE FROM recompute")
    op.execute(
        sa.text(
            "INSERT INTO recompute (lock, key) SELECT lock, key FROM releases "
            "WHERE latest = :yes AND revoked = :no AND type = 'indicator'"
        ).bindparams(yes=True, no=False)
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("org_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("assets_by_org", "assets", ["org_id", "kind"], unique=False)


def _exceptions() -> None:
    op.create_table(
        "exceptions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("org_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("exceptions_by_org", "exceptions", ["org_id"], unique=False)


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=5), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("decision", sa.String(length=7), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lock", "key"),
    )
    op.create_index("holds_by_key", "holds", ["key"], unique=False)


def _canaries() -> None:
    op.create_table(
        "canaries",
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("stood", sa.Integer(), nullable=False),
        sa.Column("vanished", sa.Integer(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lock"),
    )


def _device_feeds() -> None:
    op.create_table(
        "device_feeds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("org_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("product", sa.String(length=40), nullable=True),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=True),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("age_days", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("alarm_hours", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("fetched_by", sa.Text(), nullable=True),
        sa.Column("fetched_version", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("device_feeds_by_org", "device_feeds", ["org_id"], unique=False)


def _device_tokens() -> None:
    op.create_table(
        "device_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("feed_id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["feed_id"],
            ["device_feeds.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("device_tokens_by_feed", "device_tokens", ["feed_id"], unique=False)


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("org_id", sa.String(length=36), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
        ),
        sa.PrimaryKeyConstraint("name"),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("org_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "key"),
    )
    op.create_index("answers_by_age", "answers", ["created_at"], unique=False)
