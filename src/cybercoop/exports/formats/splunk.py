"""The three lookup files of Splunk Enterprise Security: addresses, domains and file hashes."""

from collections.abc import Iterable, Iterator
from itertools import chain

from cybercoop.exports.entries import About, Entry
from cybercoop.exports.formats._lines import ADDRESSES, joined

NAME = "splunk"
TITLE_DE = "Splunk Enterprise Security (CSV)"
TITLE_EN = "Splunk Enterprise Security (CSV)"
MEDIA_TYPE = "text/csv; charset=utf-8"
ENDING = ""
_HASHES = ("md5", "sha1", "sha256")
KINDS = ("domain", *ADDRESSES, *_HASHES)

_FILES = {
    "local_ip_intel.csv": (ADDRESSES, "description,ip,weight", ""),
    "local_domain_intel.csv": (("domain",), "description,domain,weight", ""),
    "local_file_intel.csv": (_HASHES, "description,file_hash,file_name,weight", ","),
}


def files(entries: Iterable[Entry], about: About) -> dict[str, Iterable[bytes]]:
    """Return the three files; one without values has only the names of its columns."""
    values: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    for entry in entries:
        values[entry.kind].append(entry)
    return {
        name: joined(chain([columns], _rows([values[kind] for kind in kinds], about.zone, gap)))
        for name, (kinds, columns, gap) in _FILES.items()
    }


def _rows(lists: Iterable[list[Entry]], zone: str, gap: str) -> Iterator[str]:
    for entry in chain.from_iterable(lists):
        # The weight multiplies the risk of an event: 0 would hide it.
        yield f"cybercoop {zone},{entry.value},{gap}{max(entry.confidence, 1)}"
