"""Rules for Suricata with the lists they read: data sets, hash lists and IP reputation.

All rules alert and none drops: who wants to block turns them into ``drop`` with the rule
manager. URLs have no list: Suricata sees host and path apart.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from zlib import crc32

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined, short

NAME = "suricata"
TITLE_DE = "Suricata (Regeln und Listen)"
TITLE_EN = "Suricata (rules and lists)"
MEDIA_TYPE = "text/plain; charset=utf-8"
ENDING = ""
_HASHES = ("md5", "sha1", "sha256")
KINDS = ("domain", *ADDRESSES, *_HASHES)

# Numbers from 1000000 to 1999999 are left to local rules. Each list has ten of its own.
_FIRST_RULE, _LISTS = 1_000_000, 99_999
CATEGORY = 42


def files(entries: Iterable[Entry], about: About) -> dict[str, Iterable[bytes]]:
    """Return the rules, the categories of addresses, and one list per sort of value."""
    lines: dict[str, list[str]] = {"domain": [], "ip": [], **{kind: [] for kind in _HASHES}}
    for entry in entries:
        if entry.kind in ADDRESSES:
            lines["ip"].append(f"{entry.value},{CATEGORY},{max(entry.confidence, 1)}")
        elif entry.kind == "domain":
            lines["domain"].append(b64encode(entry.value.encode()).decode())
        else:
            lines[entry.kind].append(entry.value)
    made = {f"{about.zone}-{sort}.lst": joined(some) for sort, some in lines.items()}
    filled = {sort for sort, some in lines.items() if some}
    made[f"{about.zone}.rules"] = joined(_rules(about.zone, filled))
    name = _name(about.zone)
    made[f"{about.zone}-categories.txt"] = joined([f"{CATEGORY},{name},{about.zone}"])
    return {file: made[file] for file in sorted(made)}


def _rules(zone: str, filled: set[str]) -> Iterator[str]:
    """Yield the rules of lists that are not empty, each with the same number every time."""
    first = _FIRST_RULE + crc32(zone.encode()) % _LISTS * 10
    for number, (sort, where, what, match) in enumerate(_matches(zone)):
        if sort in filled:
            yield (
                f'alert {where} (msg:"cybercoop {zone} {what}"; {match}'
                f" sid:{first + number}; rev:1;)"
            )


def _matches(zone: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield sort of value, traffic, words and keywords of each rule."""
    domains = f"dataset:isset,{_name(zone)},type string,load {zone}-domain.lst;"
    yield "domain", "dns $HOME_NET any -> any any", "DNS query", f"dns.query; {domains}"
    yield "domain", "tls $HOME_NET any -> any any", "TLS name", f"tls.sni; {domains}"
    yield "domain", "http $HOME_NET any -> any any", "HTTP host", f"http.host; {domains}"
    yield "ip", "ip $HOME_NET any -> any any", "address", f"iprep:dst,{_name(zone)},>,0;"
    for kind in _HASHES:
        match = f"file{kind}:{zone}-{kind}.lst;"
        yield kind, "http any any -> any any", f"file {kind}", match


def _name(zone: str) -> str:
    """Return a name for data set and category, which may have no dots."""
    return short(zone).replace(".", "-")
