"""Names below which strangers register names of their own: the public suffix list.

Nobody blocks ``co.uk``; ``github.io`` is left to a person, since one company answers for it.
"""

from collections.abc import Iterator
from importlib.resources import files

from cybercoop.guard.verdicts import Entry, Level, Reach, by_rule

_PRIVATE = "// ===BEGIN PRIVATE DOMAINS==="


def public_suffixes() -> Iterator[Entry]:
    """Yield every rule of the list that comes with publicsuffixlist.

    Suffixes that registries run are never exported, those of companies are held. The bare names
    of the top are refused by the index itself, listed or not.
    """
    verdict = by_rule("public-suffix", Level.NEVER)
    text = (files("publicsuffixlist") / "public_suffix_list.dat").read_text("utf-8")
    for line in text.splitlines():
        if line == _PRIVATE:
            verdict = by_rule("public-suffix", Level.HOLD)
        rule = line.partition(" ")[0]
        if not rule or rule.startswith("//"):
            continue
        if rule.startswith("!"):
            yield Entry("domain", rule[1:], verdict, Reach.FREE)
        elif rule.startswith("*."):
            yield Entry("domain", rule[2:], verdict, Reach.CHILDREN)
        else:
            yield Entry("domain", rule, verdict, Reach.EXACT)
