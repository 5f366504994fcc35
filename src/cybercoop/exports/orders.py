"""What a person asks for when he orders a feed, made into a format and a cut that fit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cybercoop.errors import Misused
from cybercoop.exports import formats, products
from cybercoop.exports.products import Limit, Product
from cybercoop.members.device_feeds import Cut


@dataclass(frozen=True, slots=True)
class Order:
    """Hold what is to be made; ``limit`` is what the product set, where nobody said otherwise."""

    format: str
    cut: Cut
    limit: Limit | None = None


def product_of(name: str) -> Product:
    """Return the product of that name; raise ``Misused`` with the ones that there are."""
    found = products.all().get(name)
    if found is None:
        known = ", ".join(products.all())
        raise Misused(f"There is no product {name!r}; there are {known}.")
    return found


def for_product(product: Product, cut: Cut) -> Order:
    """Return the order for a product; kinds and maximum are its own where ``cut`` has none.

    Raises ``Misused`` for kinds that it does not take, or not in one list.
    """
    kinds = cut.kinds or product.kinds
    wrong = [kind for kind in kinds if kind not in product.kinds]
    if wrong:
        taken = ", ".join(product.kinds)
        raise Misused(f"{product.title} takes no {wrong[0]}; it takes {taken}.")
    names = {products.format_for(product, kind) for kind in kinds}
    (name, *others) = sorted(name for name in names if name is not None)
    if others or (len(kinds) > 1 and formats.found()[name].one_kind):
        wanted = ", ".join(kinds)
        raise Misused(f"{product.title} wants a feed for each kind: --kind is one of {wanted}.")
    limit = product.limit[0] if product.limit and cut.most is None else None
    most = limit.entries if limit else cut.most
    return Order(name, replace(cut, kinds=tuple(sorted(kinds)), most=most), limit)


def for_format(name: str, cut: Cut) -> Order:
    """Return the order for a format by name; its kinds are all that it carries where none is said.

    Raises ``Misused`` for another format, and for kinds that it cannot carry.
    """
    found = formats.found().get(name)
    if found is None:
        raise Misused(f"There is no format {name!r}; there are {', '.join(formats.found())}.")
    kinds = cut.kinds or tuple(sorted(found.kinds))
    _require(kinds, found.kinds, name)
    if found.one_kind and len(kinds) > 1:
        wanted = ", ".join(kinds)
        raise Misused(f"The format {name} wants one kind: --kind is one of {wanted}.")
    return Order(name, replace(cut, kinds=tuple(sorted(kinds))))


def for_responses(order: Order) -> Order:
    """Return the order for a feed of what responses block.

    Raises ``Misused`` for a format that takes more than the values: objects that nobody released,
    or several files, of which a fetch of one proves nothing about the others.
    """
    found = formats.found()[order.format]
    if found.raw or found.several:
        raise Misused(f"The format {order.format} does not carry what responses block.")
    return order


def _require(kinds: Sequence[str], known: frozenset[str], name: str) -> None:
    for kind in kinds:
        if kind not in known:
            carried = ", ".join(sorted(known))
            raise Misused(f"The format {name} carries no {kind}; it carries {carried}.")
