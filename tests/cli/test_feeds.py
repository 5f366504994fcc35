"""The commands about feeds: made, shown with their steps, fetched, rotated, ended."""

import shlex
import urllib.error
import urllib.request
from typing import Any

import pytest

from cli.terminal import Terminal, address_in
from cybercoop.exports import products

ALL = products.all()


def fetched(url: str, token: str | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback, by the test
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def made(terminal: Terminal, *words: str, **more: str) -> dict[str, Any]:
    return terminal.json("feed", "create", "--org", "Landkreis A", *words, **more)


def test_a_feed_is_made_fetched_rotated_listed_and_ended(terminal: Terminal) -> None:
    terminal.run("init", "--name", "Testzentrum")
    terminal.run("org", "add", "Landkreis A", "--kind", "member")
    feed = made(terminal, "--format", "text", "--kind", "domain", "--title", "Sperren")
    with terminal.serving() as said:
        url = f"{address_in(said)}/feeds/"
        assert fetched(url + feed["token"]) == (200, b"")
        assert fetched(url + feed["id"], feed["token"]) == (200, b"")
        new = terminal.json("feed", "rotate", feed["id"], "--overlap", "0h")
        assert fetched(url + feed["token"])[0] == 404
        assert fetched(url + new["token"]) == (200, b"")
    (listed,) = terminal.json("feed", "list", "Landkreis A")["feeds"]
    assert (listed["title"], listed["entries"], listed["alarm"]) == ("Sperren", 0, False)
    assert listed["by"].startswith("127.0.0.1 Python-urllib")
    printed = terminal.run("feed", "list", "--json").stdout
    assert not any(one["token"] in printed for one in (feed, new))
    assert "Sperren" in terminal.run("feed", "list").stdout
    assert terminal.json("feed", "end", feed["id"])["ended"] is not None
    terminal.run("feed", "end", feed["id"], code=2)
    assert terminal.json("feed", "list")["feeds"] == []


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_product_gets_a_feed_with_its_steps_filled_in(name: str, center: Terminal) -> None:
    product = ALL[name]
    kind = ("--kind", product.kinds[0])
    url = "https://coop.example.org/"
    feed = made(center, "--product", name, *kind, "--url", url, "--lang", "de")
    assert feed["url"].startswith("https://coop.example.org/")
    text = " ".join(feed["steps"])
    assert not any(f"{{{place}}}" in text for place in ("url", "user", "token", "feed"))
    assert feed["url"] in text
    assert len(feed["steps"]) == len(product.steps.de)
    assert (feed["token"] in feed["url"]) == (product.auth == "path")
    if product.auth == "taxii":
        assert feed["url"].endswith("/taxii2/coop/")
        assert feed["token"].startswith("coop_")
        assert feed["feed"] in text
    elif product.limit:
        assert feed["most"] == product.limit[0].entries
        assert "--most" in feed["note"]
    else:
        assert feed["most"] is None


def test_a_taxii_product_reads_the_collection_that_it_is_told(center: Terminal) -> None:
    feed = made(center, "--product", "sentinel")
    with center.serving() as said:
        url = f"{address_in(said)}/taxii2/coop/collections/{feed['feed']}/objects/"
        assert fetched(url, feed["token"])[0] == 200
        assert fetched(f"{address_in(said)}/feeds/{feed['id']}", feed["token"])[0] == 401


def test_a_feed_of_responses_is_made_and_listed_as_one(center: Terminal) -> None:
    feed = made(center, "--product", "pihole", "--responses")
    assert (feed["responses"], feed["title"]) == (True, "pihole: responses, domain")
    assert feed["feed"] != made(center, "--product", "pihole")["feed"]
    with center.serving() as said:
        url = f"{address_in(said)}/feeds/{feed['id']}"
        status, body = fetched(url, feed["token"])
    assert (status, b"0.0.0.0" in body) == (200, False)
    (listed,) = [one for one in center.json("feed", "list")["feeds"] if one["responses"]]
    assert (listed["id"], listed["entries"]) == (feed["id"], 0)


def test_the_steps_are_in_the_language_of_the_person(center: Terminal) -> None:
    words = ("--product", "fortigate", "--kind", "domain")
    assert "wählen Sie" in made(center, *words, LANG="de_DE.UTF-8")["steps"][0]
    assert "choose" in made(center, *words, LANG="C")["steps"][0]
    assert "choose" in made(center, *words, "--lang", "en", LANG="de_DE.UTF-8")["steps"][0]
    text = center.run("feed", "create", "--org", "Landkreis A", *words, "--lang", "de").stdout
    assert "128000" in text
    assert "Platzhalter" in text
    assert text.index("Zuerst nur beobachten") < text.index("Danach sperren")


def test_a_feed_is_cut_as_its_owner_says(center: Terminal) -> None:
    feed = made(
        center,
        *("--product", "opnsense", "--kind", "ipv4", "--least", "50", "--lock", "community"),
        *("--age-days", "30", "--most", "10", "--address", "192.0.2.0/24"),
        *("--address", "2001:db8::1"),
    )
    assert (feed["least"], feed["lock"], feed["age_days"], feed["most"]) == (
        50, "community", 30, 10,
    )  # fmt: skip
    assert feed["addresses"] == ["192.0.2.0/24", "2001:db8::1/128"]
    assert "note" not in feed
    zone = made(center, "--product", "bind")
    assert (zone["format"], zone["kinds"]) == ("rpz", ["domain", "ipv4", "ipv6"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "--product or a --format"),
        ("--product fortigate --format text", "--product or a --format"),
        ("--product toaster", "there are"),
        ("--product fortigate", "--kind is one of"),
        ("--product fortigate --kind email", "it takes"),
        ("--product paloalto --kind url --kind ipv4", "--kind is one of"),
        ("--format text", "--kind is one of"),
        ("--format toast --kind domain", "there are"),
        ("--format hosts --kind ipv4", "it carries"),
        ("--format text --kind domain --lock strict:nowhere", "cannot open"),
        ("--format text --kind domain --address 192.0.2.1/24", "host bits"),
        ("--format text --kind domain --lang fr", "de or en"),
        ("--format misp --responses", "does not carry"),
        ("--format text --kind domain --responses --age-days 3", "cut by kinds"),
        ("--format text --kind domain --url coop.example.org", "https://"),
    ],
)
def test_what_fits_no_device_is_refused_in_a_sentence(
    words: str, reason: str, center: Terminal
) -> None:
    line = ("feed", "create", "--org", "Landkreis A", *shlex.split(words))
    assert reason in center.run(*line, code=2, COLUMNS="400").stderr
    assert center.json("feed", "list")["feeds"] == []


def test_an_overlap_is_days_or_hours(center: Terminal) -> None:
    feed = made(center, "--format", "text", "--kind", "domain")
    assert "7d" in center.run("feed", "rotate", feed["id"], "--overlap", "week", code=2).stderr
    center.run("feed", "rotate", "nowhere", code=2)
