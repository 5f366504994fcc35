"""Incidents: cases of organisations, with their clocks."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what is new."""
