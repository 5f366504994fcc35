"""ipset sets for ``ipset restore``, swapped in when they are full.

The old set keeps blocking until the new one is complete.
"""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined, short

NAME = "ipset"
TITLE_DE = "ipset-Mengen"
TITLE_EN = "ipset sets"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".ipset"
KINDS = ADDRESSES

_FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
# A set that exists with another size cannot be swapped, so the size never changes. It is a
# bound and takes no memory until it is used.
_MOST = 4_194_304


def unfit(entry: Entry) -> str | None:
    """Return why the kernel refuses the network."""
    return "The network is the whole Internet." if entry.value.endswith("/0") else None


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield commands that fill new sets and swap them with those in use."""
    values: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for entry in entries:
        values[entry.kind].append(entry.value)
    return joined(_commands(values, short(about.zone)))


def _commands(values: dict[str, list[str]], stem: str) -> Iterator[str]:
    for kind, listed in values.items():
        name = f"{stem}-{kind}"
        made = f"hash:net family {_FAMILIES[kind]} maxelem {_MOST}"
        yield f"create {name} {made} -exist"
        yield f"create {name}-new {made} -exist"
        yield f"flush {name}-new"
        yield from (f"add {name}-new {value} -exist" for value in listed)
        yield f"swap {name}-new {name}"
        yield f"destroy {name}-new"
