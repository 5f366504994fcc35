"""The tables behind incidents; migrations build them.

Times are microseconds since 1970 (UTC). All of it belongs to one organisation and is read by it
alone; what others may know of an incident is a contribution like any other.
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
    text,
)

from cybercoop.store.tables import Bytes, Flag, metadata, serial

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("category", String(40), nullable=False),
    Column("type", String(60), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("state", String(13), nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("began_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
Index("incidents_by_org", incidents.c.org_id, incidents.c.created_at)

# The timeline: only ever added to, and never with what can be erased.
incident_entries = Table(
    "incident_entries",
    metadata,
    Column("seq", serial, primary_key=True, autoincrement=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(36), nullable=False),
    Column("what", String(20), nullable=False),
    Column("text", Text, nullable=False),
)
Index("incident_entries_by_incident", incident_entries.c.incident_id, incident_entries.c.seq)

# The only place for personal data: rows are deleted for good when it is erased.
incident_people = Table(
    "incident_people",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("name", String(200), nullable=False),
    Column("mail", String(320), nullable=False),
    Column("phone", String(60), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("incident_people_by_incident", incident_people.c.incident_id)

# Other organisations that do something about it.
incident_participants = Table(
    "incident_participants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("part", String(10), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("incident_id", "name", "part"),
)

incident_indicators = Table(
    "incident_indicators",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    # Under which push it was given to others, if it was.
    Column("push_id", String(36)),
)

incident_responses = Table(
    "incident_responses",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("response_id", ForeignKey("responses.id"), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

incident_files = Table(
    "incident_files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("bytes", Bytes, nullable=False),
)
Index("incident_files_by_incident", incident_files.c.incident_id)

# Which duties to report hold for an organisation, where it has said so.
org_profiles = Table(
    "org_profiles",
    metadata,
    Column("org_id", ForeignKey("organisations.id"), primary_key=True),
    Column("profile", String(40), primary_key=True),
    Column("applies", Flag, nullable=False),
)

incident_clocks = Table(
    "incident_clocks",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("profile", String(40), primary_key=True),
    Column("stage", String(40), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("outcome", String(6), nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(36), nullable=False),
    Column("reason", Text, nullable=False),
)
Index(
    "incident_clocks_open",
    incident_clocks.c.due_at,
    sqlite_where=text("outcome = ''"),
    postgresql_where=text("outcome = ''"),
)

# What others were given of an incident, as it was then; what changes later stays at home.
incident_shares = Table(
    "incident_shares",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("stix_id", String(60), nullable=False),
    Column("lock", Text, nullable=False),
    Column("category", String(40), nullable=False),
    Column("type", String(60), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("state", String(13), nullable=False),
    Column("reduced", Flag, nullable=False),
    Column("withdrawn", Flag, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    # Rising in the order of commits, for it is taken under a clock that is held until then.
    Column("stamp", BigInteger, nullable=False, unique=True),
)
