"""The tables behind playbooks, responses and their tasks; migrations build them.

A response can be told from these tables alone: what was asked of whom, who did what, when, and what
came of it. Times are microseconds since 1970 (UTC); columns that hold JSON say so.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from cybercoop.store.tables import Bytes, Flag, metadata, serial

# One version of a playbook, as it was imported: never changed.
playbooks = Table(
    "playbooks",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("modified", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("lock", Text, nullable=False),
    Column("revoked", Flag, nullable=False),
    # The keys of ours under which its signatures were good, JSON.
    Column("signed_by", Text, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Column("bytes", Bytes, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("playbook_id", String(60), nullable=False),
    Column("playbook_modified", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("lock", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("exercise", Flag, nullable=False),
    Column("paused", Flag, nullable=False, server_default=false()),
    # What the center wants of the engine beside going on: ``cancel`` or ``revert``.
    Column("wanted", String(8), nullable=False, server_default=""),
    # Typed values of the playbook's variables, JSON.
    Column("variables", Text, nullable=False),
    # Why it was proposed, in the words of the rule or of the person, JSON.
    Column("why", Text, nullable=False),
    Column("rule", String(80)),
    Column("incident_id", String(36)),
    Column("started_by", String(36)),
    Column("approvals_needed", SmallInteger, nullable=False),
    Column("approvals_since", BigInteger, nullable=False),
    Column("glass_until", BigInteger),
    Column("ratified_at", BigInteger),
    Column("known_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("began_at", BigInteger),
    # How often the engine has begun with it: a re-run or the way back begins once more.
    Column("turn", SmallInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
)
Index("responses_by_change", responses.c.changed_at)
Index("responses_by_age", responses.c.created_at, responses.c.id)

# One county's part of a response; a re-run is a further attempt.
runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("response_id", ForeignKey("responses.id"), nullable=False),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("latest", Flag, nullable=False),
    Column("state", String(9), nullable=False),
    Column("wanted", String(8), nullable=False, server_default=""),
    Column("invited_at", BigInteger, nullable=False),
    Column("reached_at", BigInteger),
    Column("accepted_at", BigInteger),
    Column("accepted_by", String(36)),
    Column("shares_state", Flag, nullable=False, server_default=false()),
    Column("began_at", BigInteger),
    Column("ended_at", BigInteger),
    # Why it was declined, failed or cancelled.
    Column("reason", Text),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("response_id", "org_id", "attempt"),
)
Index("runs_by_change", runs.c.changed_at)
Index("runs_by_org", runs.c.org_id)

# What happened at one place of a run: the path of branches, the step, and its round.
steps = Table(
    "steps",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("step_id", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(9), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    # The values that it gave, JSON.
    Column("results", Text),
    Column("reason", Text),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("response_id", ForeignKey("responses.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("place", Text, nullable=False),
    Column("step_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    # Values that belong to a text in which they must not stand, JSON.
    Column("listed", Text, nullable=False),
    Column("role", String(20), nullable=False),
    # What it asks, and what was answered, by variable, JSON.
    Column("questions", Text, nullable=False),
    Column("answers", Text),
    Column("approvals", SmallInteger, nullable=False),
    Column("state", String(9), nullable=False),
    Column("assignee", String(36)),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    # How far its deadline has been told: reminded, deputy, center.
    Column("stage", SmallInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", String(36)),
    Column("reason", Text),
    UniqueConstraint("run_id", "place"),
)
Index("tasks_by_response", tasks.c.response_id)
Index("tasks_by_org", tasks.c.org_id, tasks.c.state)
Index(
    "tasks_by_next",
    tasks.c.next_at,
    sqlite_where=text("next_at IS NOT NULL"),
    postgresql_where=text("next_at IS NOT NULL"),
)

# What people add to a task: words, and files by their hash.
remarks = Table(
    "remarks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("task_id", ForeignKey("tasks.id"), nullable=False),
    Column("org_id", String(36), nullable=False),
    Column("by", String(36), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("file_name", String(200)),
    Column("file_type", String(100)),
    Column("file_hash", String(64)),
    Column("file", Bytes),
)
Index("remarks_by_task", remarks.c.task_id, remarks.c.at)

# Who agreed to a response, or to what one of its tasks is about; each person once.
approvals = Table(
    "approvals",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("person_id", String(36), primary_key=True),
    Column("response_id", ForeignKey("responses.id"), nullable=False),
    Column("agreed", Flag, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("approvals_by_response", approvals.c.response_id)

# The log of a response (Einsatztagebuch): only ever added to.
log = Table(
    "log",
    metadata,
    Column("seq", serial, primary_key=True, autoincrement=True),
    Column("response_id", ForeignKey("responses.id"), nullable=False),
    # Whose run it tells of; nobody's where all who take part may read it.
    Column("org_id", String(36)),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", String(30), nullable=False),
    # What else there is to say, JSON.
    Column("said", Text, nullable=False),
)
Index("log_by_response", log.c.response_id, log.c.seq)

# What the devices of one county are to block for a response.
blocks = Table(
    "blocks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("response_id", ForeignKey("responses.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("place", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("reason", Text),
    # A person's word that it is in force.
    Column("confirmed_at", BigInteger),
    Column("confirmed_by", String(36)),
    UniqueConstraint("run_id", "place"),
)
Index("blocks_by_org", blocks.c.org_id)

# What was asked of other systems: once for each place of a run.
effects = Table(
    "effects",
    metadata,
    Column("key", String(36), primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("target", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("status", Integer),
    Column("reason", Text),
)

# Texts for duties to report, filled by a playbook and sent by nobody but people.
drafts = Table(
    "drafts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("response_id", ForeignKey("responses.id")),
    Column("run_id", ForeignKey("runs.id")),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("profile", String(40), nullable=False),
    Column("stage", String(40), nullable=False),
    Column("due_at", BigInteger),
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("drafts_by_org", drafts.c.org_id)

# What a rule made of something that happened, and why.
firings = Table(
    "firings",
    metadata,
    Column("seq", serial, primary_key=True, autoincrement=True),
    Column("rule", String(80), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("why", Text, nullable=False),
    Column("lock", Text, nullable=False),
    Column("response_id", String(36)),
)
Index("firings_by_rule", firings.c.rule, firings.c.subject, firings.c.at)

# How far each kind of trigger has looked.
watches = Table(
    "watches",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("cursor", Text, nullable=False),
)

# Processes that carry out durable work, and when they last said so.
workers = Table(
    "workers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)
