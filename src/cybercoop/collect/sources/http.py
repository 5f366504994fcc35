"""A file on a web server, asked for only when it changed."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

from yarl import URL

from cybercoop import egress
from cybercoop.collect.definitions import Source
from cybercoop.collect.sources import Cursor, Portion
from cybercoop.egress import Credentials, Rules
from cybercoop.egress.unpacking import MAGIC, unpacked
from cybercoop.errors import Malformed

NAME = "http"
SNAPSHOT = True


async def fetch(
    source: Source, cursor: Cursor, rules: Rules, credentials: Credentials | None
) -> AsyncGenerator[Portion, None]:
    """Yield the file, unpacked if it is gzip; raise ``Malformed`` when it is empty."""
    known = cursor if cursor.get("url") == source.url else {}
    got = await egress.fetch(
        source.url,
        rules,
        credentials=credentials,
        etag=known.get("etag", ""),
        last_modified=known.get("last_modified", ""),
    )
    name = (URL(source.url).name or source.name).removesuffix(".gz")
    if got.unchanged:
        yield Portion(name, b"", cursor, unchanged=True)
        return
    data = got.body
    if data.startswith(MAGIC):
        data = await asyncio.to_thread(unpacked, data, rules.max_bytes)
    if not data.strip():
        msg = f"{source.name} is an empty file; what was had before stays."
        raise Malformed(msg)
    digest = hashlib.sha256(data).hexdigest()
    unchanged = digest == known.get("sha256")
    yield Portion(
        name,
        b"" if unchanged else data,
        {
            "url": source.url,
            "etag": got.etag,
            "last_modified": got.last_modified,
            "sha256": digest,
        },
        unchanged=unchanged,
        content_type=got.content_type,
    )
