"""Every product recipe found by the folder can be followed, in both languages."""

import re

import msgspec
import pytest

from cybercoop.exports import formats, products
from cybercoop.exports.entries import KINDS
from cybercoop.exports.products import Product

ALL = products.all()
NAMES = sorted(ALL)
EXPECTED = {
    *("paloalto", "fortigate", "sophos", "opnsense", "pfsense", "checkpoint", "sonicwall"),
    *("pihole", "unbound", "bind", "powerdns", "sentinel", "defender", "elastic", "splunk"),
    *("misp", "suricata", "zeek", "nftables", "ipset"),
}
PLACES = {"url": "https://c.example/f", "user": "geraet", "token": "abc-123", "feed": "sperren"}
SPELLED_OUT = re.compile(r"\b\w*(?:fuer|ueber|laesst|moegl|pruef|aender|koenn|muess|waehl)\w*")


def texts(product: Product, language: str) -> list[str]:
    words = [product.test, *product.limit, *([product.warning] if product.warning else [])]
    lines = [*getattr(product.steps, language), *getattr(product.limits, language)]
    return [*lines, *(getattr(word, language) for word in words)]


def test_every_product_of_the_page_has_a_recipe() -> None:
    assert set(ALL) >= EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_names_formats_that_carry_what_it_offers(name: str) -> None:
    product = ALL[name]
    if product.auth == "taxii":
        assert product.format is None
        return
    assert set(product.formats) <= set(product.kinds) <= KINDS
    for kind in product.kinds:
        format_ = products.format_for(product, kind)
        assert format_ is not None
        assert kind in formats.found()[format_].kinds


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same(name: str) -> None:
    product = ALL[name]
    german, english = texts(product, "de"), texts(product, "en")
    assert len(product.steps.de) == len(product.steps.en) >= 4
    assert len(german) == len(english)
    for one, other in zip(german, english, strict=True):
        assert sorted(places(one)) == sorted(places(other))
    assert not SPELLED_OUT.findall(" ".join(german).lower())


def places(text: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", text)


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_name_what_a_person_has_to_enter(name: str) -> None:
    product = ALL[name]
    asked = {"url"} | {
        "basic": {"user", "token"},
        "bearer": {"token"},
        "path": set[str](),
        "taxii": {"user", "token", "feed"},
    }[product.auth]
    for language in ("de", "en"):
        named = set(places(" ".join(texts(product, language))))
        assert asked <= named <= set(PLACES)
        assert ("token" in named) == ("token" in asked)


@pytest.mark.parametrize("name", NAMES)
def test_watching_comes_before_blocking(name: str) -> None:
    steps = ALL[name].steps.en
    seen = re.compile("watch|compare first", re.IGNORECASE).search
    watching = [place for place, step in enumerate(steps) if seen(step)]
    blocking = [place for place, step in enumerate(steps) if step.startswith("Then ")]
    assert watching
    assert not blocking or min(watching) < min(blocking)


@pytest.mark.parametrize("name", NAMES)
def test_limits_begin_with_the_smallest(name: str) -> None:
    numbers = [limit.entries for limit in ALL[name].limit]
    assert numbers == sorted(set(numbers))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.toml.decode(
            b'name="x1"\ntitle="x"\nkinds=["ipv4"]\nauth="basic"\nverified=true\ncolour="red"',
            type=Product,
        )


def test_places_are_filled_in_and_other_braces_stay() -> None:
    steps = products.steps(ALL["bind"], "de", PLACES)
    assert steps[0].startswith("1. ")
    assert 'url = "https://c.example/f"' in steps[0]
    assert 'user = "geraet:abc-123"' in steps[0]
    assert 'response-policy { zone "sperren" policy given; };' in steps[-1]
    assert not any(places(step) for step in steps)


def test_a_kind_that_a_product_does_not_take_has_no_format() -> None:
    assert products.format_for(ALL["paloalto"], "url") == "text-urls"
    assert products.format_for(ALL["paloalto"], "ipv4") == "text"
    assert products.format_for(ALL["paloalto"], "md5") is None
