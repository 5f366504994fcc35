"""Recipes: how one device of a county is set up, with its own address and token filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cybercoop.errors import Misused
from cybercoop.exports import orders, products
from cybercoop.exports.cut import zone_of
from cybercoop.exports.products import Language, Limit
from cybercoop.members.device_feeds import Cut, DeviceFeed, Wish

USER = "feed"
"""What devices send as a name where they must send one; anything would do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hold what a person reads to set a device up: watching first, blocking later."""

    steps: Sequence[str]
    test: str
    limits: Sequence[str]
    warning: str


def titles() -> Mapping[str, str]:
    """Return the title of every product by its name, in the order of titles."""
    found = {name: product.title for name, product in products.all().items()}
    return dict(sorted(found.items(), key=lambda one: one[1].casefold()))


def kinds(name: str) -> tuple[str, ...]:
    """Return the kinds that a product takes; raise ``Misused`` for an unknown one."""
    return orders.product_of(name).kinds


def takes_all(name: str) -> bool:
    """Say whether one list may hold all kinds that a product takes."""
    try:
        orders.for_product(orders.product_of(name), Cut(()))
    except Misused:
        return False
    return True


def asks_taxii(name: str) -> bool:
    """Say whether a product reads TAXII itself, and needs a token instead of a list."""
    return orders.product_of(name).auth == "taxii"


def ordered(wish: Wish) -> tuple[DeviceFeed, Limit | None]:
    """Return the feed that somebody wishes for, not made yet, and the limit its product set.

    Raises ``Misused`` for a product or format that there is not, and for what it does not take.
    """
    if (wish.product is None) == (wish.format is None):
        raise Misused("Name a --product or a --format.")
    if wish.product is not None:
        order = orders.for_product(orders.product_of(wish.product), wish.cut)
    else:
        order = orders.for_format(wish.format or "", wish.cut)
    if wish.responses:
        order = orders.for_responses(order)
    what = f"{'responses, ' if wish.responses else ''}{', '.join(order.cut.kinds)}"
    called = wish.title or f"{wish.product or order.format}: {what}"
    feed = DeviceFeed(
        *("", "", called, order.format, order.cut, wish.product),
        *(wish.addresses, wish.alarm_hours),
        responses=wish.responses,
    )
    return feed, order.limit


def places(feed: DeviceFeed, token: str, address: str) -> dict[str, str]:
    """Return what the steps of a feed name; the token is in the URL where a device wants that."""
    in_path = feed.product is not None and orders.product_of(feed.product).auth == "path"
    url = f"{address}/feeds/{token if in_path else feed.id}"
    zone = zone_of(feed.format, feed.cut, responses=feed.responses)
    return {"url": url, "user": USER, "token": token, "feed": zone}


def recipe(name: str, said: Mapping[str, str], language: Language) -> Recipe:
    """Return the steps for a product with ``url``, ``user``, ``token`` and ``feed`` filled in."""
    product = orders.product_of(name)
    limits = product.limits.de if language == "de" else product.limits.en
    warning = getattr(product.warning, language) if product.warning else ""
    return Recipe(
        products.steps(product, language, said),
        products.filled(getattr(product.test, language), said),
        [products.filled(one, said) for one in limits],
        products.filled(warning, said),
    )
