"""The tables behind guard, device feeds and sources; migrations build them.

Times are microseconds since 1970 (UTC). Values stand in the normal form of ``indicators.values``.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from cybercoop.store.tables import Bytes, Flag, metadata

# What an organisation has: networks, domains, software.
assets = Table(
    "assets",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("vendor", Text),
    Column("version", Text),
    Column("created_at", BigInteger, nullable=False),
)
Index("assets_by_org", assets.c.org_id, assets.c.kind)

# What must not be blocked, whatever a rule says; the center's hold for all, a county's for it.
exceptions = Table(
    "exceptions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)
Index("exceptions_by_org", exceptions.c.org_id)

# What the guard keeps out of releases, one row per place, and what the center decided.
holds = Table(
    "holds",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("lock", Text, nullable=False),
    Column("key", Bytes, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("level", String(5), nullable=False),
    Column("rule", Text, nullable=False),
    Column("held_at", BigInteger, nullable=False),
    Column("standing", Flag, nullable=False),
    Column("decision", String(7)),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    UniqueConstraint("lock", "key"),
)
Index("holds_by_key", holds.c.key)

# A lock whose blocklists changed implausibly stands still until somebody confirms.
canaries = Table(
    "canaries",
    metadata,
    Column("lock", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("stood", Integer, nullable=False),
    Column("vanished", Integer, nullable=False),
    Column("stopped_at", BigInteger),
    Column("reason", Text),
    Column("confirmed_at", BigInteger),
    Column("confirmed_by", Text),
)

device_feeds = Table(
    "device_feeds",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("product", String(40)),
    Column("format", String(40), nullable=False),
    Column("kinds", Text, nullable=False),
    Column("lock", Text),
    Column("least", Integer, nullable=False),
    Column("age_days", Integer),
    Column("most", Integer),
    Column("addresses", Text, nullable=False),
    Column("alarm_hours", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("fetched_at", BigInteger),
    Column("fetched_by", Text),
    Column("fetched_version", Text),
    # Lists what responses block at this county, and nothing else.
    Column("responses", Flag, nullable=False, server_default=false()),
    # Up to when what was fetched last had followed the blocks of responses.
    Column("fetched_as_of", BigInteger),
)
Index("device_feeds_by_org", device_feeds.c.org_id)

device_tokens = Table(
    "device_tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("feed_id", ForeignKey("device_feeds.id"), nullable=False),
    Column("hash", Bytes, nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
Index("device_tokens_by_feed", device_tokens.c.feed_id)

# What the center collects from, and how far it has come.
sources = Table(
    "sources",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("enabled", Flag, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("tried_at", BigInteger),
    Column("succeeded_at", BigInteger),
    Column("next_at", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("failure", Text),
    Column("objects", Integer, nullable=False),
)

# What was answered under an idempotency key, so that a repeated request does nothing twice.
answers = Table(
    "answers",
    metadata,
    Column("org_id", String(36), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request", Bytes, nullable=False),
    Column("status", Integer, nullable=False),
    Column("bytes", Bytes, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("answers_by_age", answers.c.created_at)

# Sessions of the pages that were signed out before their end, by the hash of the cookie.
signed_out = Table(
    "signed_out",
    metadata,
    Column("digest", Bytes, primary_key=True),
    Column("expires", BigInteger, nullable=False),
)
Index("signed_out_by_age", signed_out.c.expires)
