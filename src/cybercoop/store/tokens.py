"""Tokens in the database: made, rotated, revoked, and looked up by every request."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from cybercoop.errors import Misused
from cybercoop.members.organisations import Organisation
from cybercoop.members.tokens import Scope, Token
from cybercoop.store import feeds, members, prepared
from cybercoop.store.database import Connection, Database
from cybercoop.store.feeds import Feed
from cybercoop.store.tables import feeds as feed_ids
from cybercoop.store.tables import group_members, organisations, tokens

_SHOWN = (
    tokens.c.id,
    tokens.c.org_id,
    tokens.c.scope,
    tokens.c.prefix,
    tokens.c.created_at,
    tokens.c.person_id,
    tokens.c.expires_at,
    tokens.c.last_used_at,
    tokens.c.revoked_at,
)


async def add(connection: Connection, new: Token, digest: bytes) -> None:
    """Remember a token by the digest of its text."""
    row = {
        "id": new.id,
        "org_id": new.org_id,
        "person_id": new.person_id,
        "hash": digest,
        "prefix": new.prefix,
        "scope": new.scope.value,
        "created_at": new.created_at,
        "expires_at": new.expires_at,
    }
    await connection.execute(insert(tokens), row)


async def find(connection: Connection, token_id: str) -> Token:
    """Return a token by id or shown prefix; raise ``Misused`` when none or several fit."""
    query = select(*_SHOWN).where(or_(tokens.c.id == token_id, tokens.c.prefix == token_id))
    rows = (await connection.execute(query)).all()
    if len(rows) != 1:
        msg = f"{len(rows)} tokens are known as {token_id!r}; `cybercoop token list` shows ids."
        raise Misused(msg)
    return _token(rows[0])


async def all_tokens(connection: Connection, org_id: str | None = None) -> list[Token]:
    """Return tokens, newest first, of one organisation or of all."""
    query = select(*_SHOWN).order_by(tokens.c.created_at.desc(), tokens.c.id)
    if org_id is not None:
        query = query.where(tokens.c.org_id == org_id)
    return [_token(row) for row in await connection.execute(query)]


def _token(row: Sequence[object]) -> Token:
    token_id, org_id, scope, *rest = row
    return Token(token_id, org_id, Scope(str(scope)), *rest)  # type: ignore[arg-type] # row order is _SHOWN


async def expire(connection: Connection, token_id: str, at: int) -> None:
    """Let a token end at ``at``, or earlier when it would have ended earlier."""
    await connection.execute(
        update(tokens)
        .where(
            tokens.c.id == token_id, or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > at)
        )
        .values(expires_at=at)
    )


async def revoke(connection: Connection, now: int, which: ColumnElement[bool]) -> int:
    """End tokens at once; return how many."""
    done = await connection.execute(
        update(tokens).where(which, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return done.rowcount


async def revoke_one(connection: Connection, token_id: str, now: int) -> int:
    """End one token at once; return whether it was still good (1 or 0)."""
    return await revoke(connection, now, tokens.c.id == token_id)


async def revoke_all_of(connection: Connection, org_id: str, now: int) -> int:
    """End every token of an organisation and of its people; return how many."""
    return await revoke(connection, now, tokens.c.org_id == org_id)


@dataclass(frozen=True, slots=True)
class Holder:
    """Hold whose token it is, and the ids that the feed of that organisation has had."""

    token: Token
    org: Organisation
    feeds: tuple[Feed, ...]


async def holder(database: Database, digest: bytes, now: int) -> Holder | None:
    """Return whose good token this is, with all groups and feeds, in one statement."""
    rows = await prepared.glance(database, _holder, "holder", {"digest": digest, "now": now})
    if not rows:
        return None
    token = _token(rows[0][: len(_SHOWN)])
    columns = organisations.c.keys()
    row = dict(zip(columns, rows[0][len(_SHOWN) :], strict=False))
    memberships = {one[-5:-3] for one in rows}
    own = {group for group, of in memberships if of == token.org_id}
    parents = {group for group, of in memberships if of not in {token.org_id, None}}
    known = sorted({one[-3:] for one in rows if one[-3] is not None}, key=itemgetter(1))
    return Holder(
        token, members.organisation(row, own, parents), tuple(feeds.feed(*one) for one in known)
    )


def _holder(_shape: str) -> Select[Any]:
    membership = or_(
        group_members.c.org_id == organisations.c.id,
        group_members.c.org_id == organisations.c.parent_id,
    )
    ends = bindparam("now", 0, type_=BigInteger())
    return (
        select(
            *_SHOWN,
            organisations,
            group_members.c.group_id,
            group_members.c.org_id,
            *feeds.SHOWN,
        )
        .join(organisations, organisations.c.id == tokens.c.org_id)
        .outerjoin(group_members, membership)
        .outerjoin(feed_ids, feed_ids.c.org_id == tokens.c.org_id)
        .where(
            tokens.c.hash == bindparam("digest", b"", type_=LargeBinary()),
            tokens.c.revoked_at.is_(None),
            or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > ends),
            organisations.c.left_at.is_(None),
        )
    )


async def note_use(connection: Connection, token_ids: Sequence[str], now: int) -> None:
    """Remember that these tokens were used."""
    await connection.execute(
        update(tokens).where(tokens.c.id.in_(token_ids)).values(last_used_at=now)
    )
