"""nftables sets, one for each address family, filled anew in one transaction.

Networks may not overlap in a set of intervals, so they are merged: ``nft -f`` refuses the
whole file otherwise. The kernel checks addresses, not our order: most important first is lost.
"""

from collections.abc import Iterable, Iterator

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined
from cybercoop.exports.formats._spans import Span, address, merged, span

NAME = "nftables"
TITLE_DE = "nftables-Mengen"
TITLE_EN = "nftables sets"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ".nft"
KINDS = ADDRESSES

_TABLE = "inet cybercoop"
_TYPES = {"ipv4": "ipv4_addr", "ipv6": "ipv6_addr"}
_AT_ONCE = 1000


def unfit(entry: Entry) -> str | None:
    """Return why no set should hold the network."""
    return "The network is the whole Internet." if entry.value.endswith("/0") else None


def write(entries: Iterable[Entry], about: About) -> Iterator[bytes]:
    """Yield commands that make the sets where they are missing and replace what they hold."""
    spans: dict[str, list[Span]] = {kind: [] for kind in KINDS}
    for entry in entries:
        spans[entry.kind].append(span(entry))
    return joined(_commands(spans, about.zone.replace(".", "_").replace("-", "_")))


def _commands(spans: dict[str, list[Span]], stem: str) -> Iterator[str]:
    yield f"add table {_TABLE}"
    for kind, found in spans.items():
        name = f"{_TABLE} {set_name(stem, kind)}"
        yield f"add set {name} {{ type {_TYPES[kind]}; flags interval; }}"
        yield f"flush set {name}"
        elements = [_element(first, last, kind) for first, last in merged(found)]
        for start in range(0, len(elements), _AT_ONCE):
            some = ", ".join(elements[start : start + _AT_ONCE])
            yield f"add element {name} {{ {some} }}"


def set_name(stem: str, kind: str) -> str:
    """Return the name of the set; the prefix keeps list names off the words of nft."""
    return f"list_{stem}_{kind}"


def _element(first: int, last: int, kind: str) -> str:
    text = address(first, kind)
    return text if first == last else f"{text}-{address(last, kind)}"
