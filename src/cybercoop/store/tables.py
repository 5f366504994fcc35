"""The tables, as SQLAlchemy sees them; migrations build them.

Times are microseconds since 1970 (UTC). ``modified`` columns hold the fixed-width form of
``stix.times.normal``, whose text order is the order of time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

metadata = MetaData()


class Flag(Boolean):
    """A boolean that drivers hand over as it is: SQLite's 0 and 1 serve as well."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Promise that no value needs work."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Promise that no value needs work."""


class Bytes(LargeBinary):
    """Bytes that drivers hand over as they are; copying them would cost on every page."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Promise that no value needs work."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Promise that no value needs work."""


# SQLite gives only an INTEGER primary key a place of its own in the file.
serial = BigInteger().with_variant(Integer(), "sqlite")

center = Table(
    "center",
    metadata,
    Column("org_id", String(36), primary_key=True),
    Column("identity_id", String(64), nullable=False),
    Column("secret", Bytes, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("parent_id", ForeignKey("organisations.id")),
    Column("community", Flag, nullable=False),
    Column("contributions_id", String(36), nullable=False, unique=True),
    Column("default_tlp", String(16)),
    Column("default_group", String(48)),
    Column("named", Flag, nullable=False, server_default=false()),
    Column("catalogue", Flag, nullable=False, server_default=false()),
    Column("created_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    # Words with a space between them; none holds one.
    Column("tags", Text, nullable=False, server_default=""),
)

groups = Table(
    "groups",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("marking_id", String(64), nullable=False, unique=True),
    Column("lane", Integer, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("groups.id"), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), primary_key=True),
)
Index("group_members_by_org", group_members.c.org_id)

people = Table(
    "people",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("mail", String(320), nullable=False),
    Column("phones", Text, nullable=False),
    Column("roles", Text, nullable=False),
    # Who stands in where this person does not answer.
    Column("deputy_id", String(36)),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("org_id", "mail"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("hash", Bytes, nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("scope", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("locks", Text, nullable=False),
    UniqueConstraint("org_id", "number"),
)

# One row per contributor, and one named "projector": whoever stamps holds the row until commit.
clocks = Table(
    "clocks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

contributions = Table(
    "contributions",
    metadata,
    Column("seq", serial, primary_key=True, autoincrement=True),
    Column("org_id", String(36), nullable=False),
    Column("date_added", BigInteger, nullable=False),
    Column("stix_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("spec_version", String(3), nullable=False),
    Column("modified", String(30), nullable=False),
    Column("version", Text, nullable=False),
    Column("latest", Flag, nullable=False),
    Column("deleted", Flag, nullable=False, server_default=false()),
    Column("revoked", Flag, nullable=False, server_default=false()),
    Column("hash", Bytes, nullable=False),
    Column("bytes", Bytes, nullable=False),
    Column("lock", Text, nullable=False),
    # Where it counts: narrower than ``lock`` for what refers to narrower ends, empty while
    # it counts nowhere.
    Column("at_lock", Text),
    Column("key", Bytes),
    # False once a newer contribution of the same organisation stands at the same place.
    Column("counts", Flag, nullable=False, server_default=true()),
    Column("tightened", Flag, nullable=False, server_default=false()),
    Column("named", Flag, nullable=False, server_default=false()),
    Column("with_text", Flag, nullable=False, server_default=false()),
    Column("effective_until", BigInteger),
    Column("pending", SmallInteger, nullable=False),
    Column("note", Text),
    # What was given together, so that it can be taken back together.
    Column("push_id", String(36)),
)
Index(
    "contributions_by_push",
    contributions.c.push_id,
    contributions.c.org_id,
    sqlite_where=text("push_id IS NOT NULL"),
    postgresql_where=text("push_id IS NOT NULL"),
)
Index(
    "contributions_once",
    contributions.c.org_id,
    contributions.c.stix_id,
    contributions.c.modified,
    unique=True,
    sqlite_where=text("deleted = 0"),
    postgresql_where=text("NOT deleted"),
)
# What ended, should its object come back under a narrower lock.
Index(
    "contributions_ended",
    contributions.c.org_id,
    contributions.c.stix_id,
    sqlite_where=text("deleted = 1"),
    postgresql_where=text("deleted"),
)
Index(
    "contributions_pages",
    contributions.c.org_id,
    contributions.c.latest,
    contributions.c.date_added,
    sqlite_where=text("deleted = 0"),
    postgresql_where=text("NOT deleted"),
)
Index(
    "contributions_same",
    contributions.c.key,
    sqlite_where=text("counts = 1"),
    postgresql_where=text("counts"),
)
# What an undone push may bring back.
Index(
    "contributions_lost",
    contributions.c.key,
    sqlite_where=text("counts = 0"),
    postgresql_where=text("NOT counts"),
)
Index(
    "contributions_pending",
    contributions.c.lock,
    contributions.c.seq,
    sqlite_where=text("pending = 1"),
    postgresql_where=text("pending = 1"),
)

# What a contribution refers to, and what that turned out to be.
ends = Table(
    "ends",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("key", Bytes),
)
Index("ends_by_ref", ends.c.ref)
Index("ends_by_key", ends.c.key)

releases = Table(
    "releases",
    metadata,
    Column("date_added", serial, primary_key=True, autoincrement=False),
    Column("lock", Text, nullable=False),
    Column("key", Bytes, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("stix_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("spec_version", String(3), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("modified", String(30), nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Bytes, nullable=False),
    Column("revoked", Flag, nullable=False),
    # The newest of its id; ``head`` is the newest of its place, whatever id it has by now.
    Column("latest", Flag, nullable=False),
    Column("head", Flag, nullable=False, server_default=true()),
    # A deterministic or catalogue id, which several locks may carry.
    Column("shared_id", Flag, nullable=False),
    Column("effective_until", BigInteger),
    Column("bytes", Bytes, nullable=False),
    # What a device can block by: only where the pattern is one comparison of such a value.
    Column("kind", Text),
    Column("value", Text),
    Column("confidence", SmallInteger),
    Column("warned", Flag, nullable=False, server_default=false()),
)
# All that a plain list needs, in one index, so that a million entries are read in seconds.
Index(
    "releases_entries",
    releases.c.lock,
    releases.c.date_added,
    releases.c.kind,
    releases.c.value,
    releases.c.confidence,
    releases.c.created,
    releases.c.effective_until,
    releases.c.warned,
    # SQLite takes an index for covering only with the columns of its own condition.
    releases.c.latest,
    releases.c.revoked,
    sqlite_where=text("latest = 1 AND revoked = 0 AND kind IS NOT NULL"),
    postgresql_where=text("latest AND NOT revoked AND kind IS NOT NULL"),
)
# ``shared_id`` comes along so that a range is read from the index alone.
Index(
    "releases_pages",
    releases.c.lock,
    releases.c.latest,
    releases.c.date_added,
    releases.c.shared_id,
)
Index("releases_by_id", releases.c.stix_id)
Index(
    "releases_live",
    releases.c.key,
    releases.c.lock,
    unique=True,
    sqlite_where=text("head = 1"),
    postgresql_where=text("head"),
)
Index(
    "releases_by_type",
    releases.c.lock,
    releases.c.type,
    releases.c.date_added,
    sqlite_where=text("type <> 'indicator'"),
    postgresql_where=text("type <> 'indicator'"),
)

# Places to look at again although no contribution of theirs is pending.
recompute = Table(
    "recompute",
    metadata,
    Column("lock", Text, primary_key=True),
    Column("key", Bytes, primary_key=True),
    # What stood there must go out of sight: who knew that may have gone elsewhere by then.
    Column("shut", Flag, nullable=False, server_default=false()),
)

statuses = Table(
    "statuses",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("bytes", Bytes, nullable=False),
)
Index("statuses_by_age", statuses.c.created_at)
