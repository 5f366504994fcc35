"""Rules that keep harmless or own addresses out of blocklists."""

from cybercoop.guard.builtin import built_in, own
from cybercoop.guard.excepted import excepted
from cybercoop.guard.index import Index, index_of, verdict_of
from cybercoop.guard.verdicts import ALLOWED, Entry, Level, Verdict, as_others_see, strictest
from cybercoop.guard.warninglists import Unused, Warninglists, warninglists

__all__ = [
    "ALLOWED",
    "Entry",
    "Index",
    "Level",
    "Unused",
    "Verdict",
    "Warninglists",
    "as_others_see",
    "built_in",
    "excepted",
    "index_of",
    "own",
    "strictest",
    "verdict_of",
    "warninglists",
]
