"""Notices: what people are told, and by which way."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what is new."""
