"""The one place that decides who may receive what."""

from cybercoop.sharing.keys import keys_of
from cybercoop.sharing.locks import narrowest, wider
from cybercoop.sharing.marking import UNSAID, Addressed, locks_for

__all__ = ["UNSAID", "Addressed", "keys_of", "locks_for", "narrowest", "wider"]
