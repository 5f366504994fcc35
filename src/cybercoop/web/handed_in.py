"""What ``app`` hands in of the rooms beside this one: products, and which lists carry a value."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from aiohttp import web

from cybercoop.collect.known import Lists
from cybercoop.members.device_feeds import DeviceFeed, Wish

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = ("de", "en")


class Recipe(Protocol):
    """Promise what a person reads to set a device up."""

    @property
    def steps(self) -> Sequence[str]:
        """Return the numbered steps."""

    @property
    def test(self) -> str:
        """Return how to see that it works."""

    @property
    def limits(self) -> Sequence[str]:
        """Return what the product cannot do."""

    @property
    def warning(self) -> str:
        """Return what could go wrong, or nothing."""


class Products(Protocol):
    """Promise what the room of exports knows of products."""

    def titles(self) -> Mapping[str, str]:
        """Return the title of every product by its name."""

    def kinds(self, name: str) -> tuple[str, ...]:
        """Return the kinds that a product takes; raise ``Misused`` for an unknown one."""

    def takes_all(self, name: str) -> bool:
        """Say whether one list may hold all of them."""

    def asks_taxii(self, name: str) -> bool:
        """Say whether it needs a token for TAXII instead of a list."""

    def ordered(self, wish: Wish) -> tuple[DeviceFeed, object]:
        """Return the feed to make, and what limits it; raise ``Misused``."""

    def places(self, feed: DeviceFeed, token: str, address: str) -> dict[str, str]:
        """Return what the steps of a feed name."""

    def recipe(self, name: str, said: Mapping[str, str], language: Language) -> Recipe:
        """Return the steps with these places filled in."""


PRODUCTS: web.AppKey[Products] = web.AppKey("products")
LISTS: web.AppKey[Lists] = web.AppKey("lists")
