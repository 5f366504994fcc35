"""Keys: which locks a reader can open."""

from cybercoop.members.organisations import MEMBERS, Kind, Organisation
from cybercoop.sharing import locks


def keys_of(reader: Organisation) -> frozenset[str]:
    """Return the locks that ``reader`` can open; ``own`` locks are nobody's."""
    keys = {locks.PUBLIC}
    if not reader.community:
        return frozenset(keys)
    keys.add(locks.COMMUNITY)
    named = set(reader.groups)
    if reader.kind in {Kind.MEMBER, Kind.CENTER}:
        named.add(MEMBERS)
    for name in named:
        keys |= {locks.group(name), locks.strict(name)}
    if reader.kind is Kind.CLIENT:
        keys |= {locks.group(name) for name in reader.parent_groups | {MEMBERS}}
    return frozenset(keys)


def groups_of(reader: Organisation) -> frozenset[str]:
    """Return the groups that ``reader`` is in, ``members`` among them; its parent's are not."""
    strict = locks.strict("")
    return frozenset(key.removeprefix(strict) for key in keys_of(reader) if key.startswith(strict))
