"""The only way out of the house for HTTP: rules, addresses, and one fetch that keeps them."""

from cybercoop.egress.fetching import Exit, Fetched, fetch, opened
from cybercoop.egress.rules import Credentials, Rules

__all__ = ["Credentials", "Exit", "Fetched", "Rules", "fetch", "opened"]
