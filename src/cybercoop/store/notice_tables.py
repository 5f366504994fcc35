"""The tables behind notices, webhooks and task links; migrations build them.

Times are microseconds since 1970 (UTC).
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from cybercoop.store.tables import Bytes, Flag, metadata

# What was to be told, once for each key; by which ways it goes stands in ``deliveries``.
notices = Table(
    "notices",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("role", String(20)),
    Column("person_id", ForeignKey("people.id")),
    Column("urgency", String(6), nullable=False),
    Column("lock", Text, nullable=False),
    Column("subject_de", Text, nullable=False),
    Column("subject_en", Text, nullable=False),
    Column("text_de", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("task_id", String(36)),
    Column("at", BigInteger, nullable=False),
)
# Those that still have words.
Index(
    "notices_by_age",
    notices.c.at,
    sqlite_where=text("subject_de <> ''"),
    postgresql_where=text("subject_de <> ''"),
)

# Where an organisation's programs are told; what is sent there is signed with the secret.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Bytes, nullable=False),
    # The most confidential that it may be told: nothing, clear, green or amber.
    Column("most", String(8), nullable=False),
    # May lie inside of the center's own network; only the center says so.
    Column("internal", Flag, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)
Index("webhooks_by_org", webhooks.c.org_id)

# One notice on its way to one receiver: a person by mail, or a webhook.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("notice_key", ForeignKey("notices.key"), nullable=False),
    Column("org_id", ForeignKey("organisations.id"), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("webhook_id", ForeignKey("webhooks.id")),
    Column("state", String(8), nullable=False),
    # What goes out in one mail carries the same letter; known once that mail is begun.
    Column("letter", String(36)),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger),
    # When waiting for the receiver ends.
    Column("until", BigInteger),
    Column("ended_at", BigInteger),
    Column("reason", Text),
    Column("at", BigInteger, nullable=False),
)
Index(
    "deliveries_due",
    deliveries.c.state,
    deliveries.c.next_at,
    sqlite_where=text("next_at IS NOT NULL"),
    postgresql_where=text("next_at IS NOT NULL"),
)
Index("deliveries_by_letter", deliveries.c.letter)
Index("deliveries_by_age", deliveries.c.at)
Index("deliveries_by_org", deliveries.c.org_id, deliveries.c.at)

# What opens one task to one person without signing in, once; only hashes are kept.
task_links = Table(
    "task_links",
    metadata,
    Column("hash", Bytes, primary_key=True),
    Column("task_id", ForeignKey("tasks.id"), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)
Index("task_links_by_task", task_links.c.task_id)
Index("task_links_by_age", task_links.c.expires_at)
