"""The lock that a rule names, where nothing that happened has one."""

import re

from cybercoop.errors import Refused
from cybercoop.sharing import locks

_OF_A_GROUP = re.compile(r"(?:group|strict):[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?").fullmatch


def check_lock(lock: str) -> None:
    """Raise Refused for what is no lock that others could open."""
    if lock not in {locks.PUBLIC, locks.COMMUNITY} and not _OF_A_GROUP(lock):
        raise Refused("A lock is public, community, group:NAME or strict:NAME.", "lock")
