"""The programs that read the lists accept them, with hostile neighbours and real feeds in them."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import dns.name
import dns.rdatatype
import dns.zone
import pytest

from cybercoop.errors import Refused
from cybercoop.exports import formats
from cybercoop.exports.entries import Entry
from cybercoop.indicators import values
from exports.lists import ABOUT, entry, files

NAMES = ("boese.example", "_dmarc.boese.example", "a--b.example", "xn--bse-sna.example", "0.de")
NETWORKS = (
    "192.0.2.0/24",
    "192.0.2.7",
    "192.0.2.0/25",
    "192.0.3.0",
    "198.51.100.255",
    "203.0.113.128/25",
)
WIDE = (
    "2001:db8::/48",
    "2001:db8::1",
    "2001:db8:1::",
    "::1",
    "2001:db8:0:1:0:1:0:1",
    "2001:0:0:1::1",
)
LONG = ".".join(["a" * 61] * 3)  # 185 characters: the longest that fits into every zone
PLENTY = 20_000


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed here; .ci/run installs it.")
    return found


def alone(command: str) -> list[str]:
    """Return how to start what talks to the kernel's packet filter, in a network of its own."""
    start = [tool("unshare"), "--map-root-user", "--net"]
    if subprocess.run([*start, "true"], check=False, capture_output=True).returncode:
        pytest.skip("This machine lets nobody make a network of his own (unshare --net).")
    return [*start, tool(command)]


def accepted(*command: str, given: str = "") -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert not done.returncode, (done.stdout + done.stderr)[-2000:]


def listing(name: str, some: Iterable[Entry]) -> str:
    (content,) = files(formats.found()[name], list(some)).values()
    return content


def domains(some: Iterable[str] = NAMES) -> Iterator[Entry]:
    return (entry("domain", name) for name in some)


def addresses() -> Iterator[Entry]:
    yield from (entry("ipv4", network) for network in NETWORKS)
    yield from (entry("ipv6", network) for network in WIDE)


@pytest.fixture(scope="module")
def real_names(data_dir: Path) -> list[str]:
    lists = sorted((data_dir / "stamparm__maltrail").rglob("*.txt"))
    lines = chain.from_iterable(path.read_text("utf-8", "replace").split("\n") for path in lists)
    found = list(dict.fromkeys(islice(normal(lines), PLENTY)))
    assert len(found) > PLENTY // 2
    return found


def normal(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        name = line.partition("#")[0].strip()
        try:
            if "." in name:
                yield values.domain(name)
        except Refused:
            continue


def test_named_checkzone_loads_the_zone(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    zone.write_text(listing("rpz", [*domains((*NAMES, LONG)), *addresses()]))
    accepted(tool("named-checkzone"), ABOUT.zone, str(zone))


def test_named_checkzone_loads_a_zone_of_real_feeds(tmp_path: Path, real_names: list[str]) -> None:
    zone = tmp_path / "zone"
    zone.write_text(listing("rpz", domains(real_names)))
    accepted(tool("named-checkzone"), ABOUT.zone, str(zone))


def test_a_resolver_reads_what_was_meant() -> None:
    text = listing("rpz", [*domains(), *addresses()])
    zone = dns.zone.from_text(text, dns.name.from_text(ABOUT.zone))
    assert zone.get_soa().serial == ABOUT.serial
    cut = {str(name) for name, _ in zone.iterate_rdatasets(dns.rdatatype.CNAME)}
    assert {"boese.example", "*.boese.example"} <= cut
    assert {name for name in cut if name.endswith(".rpz-ip")} == {
        "24.0.2.0.192.rpz-ip",
        "32.7.2.0.192.rpz-ip",
        "25.0.2.0.192.rpz-ip",
        "32.0.3.0.192.rpz-ip",
        "32.255.100.51.198.rpz-ip",
        "25.128.113.0.203.rpz-ip",
        "48.zz.db8.2001.rpz-ip",
        "128.1.zz.db8.2001.rpz-ip",
        "128.zz.1.db8.2001.rpz-ip",
        "128.1.zz.rpz-ip",
        "128.1.0.1.0.1.0.db8.2001.rpz-ip",
        "128.1.zz.1.0.0.2001.rpz-ip",
    }
    targets = {str(data.target) for _, _, data in zone.iterate_rdatas(dns.rdatatype.CNAME)}
    assert targets == {"."}


def test_a_name_too_long_for_a_zone_is_left_out() -> None:
    unfit = formats.found()["rpz"].unfit
    assert unfit(entry("domain", LONG)) is None
    assert unfit(entry("domain", f"aa.{LONG}"))


@pytest.mark.parametrize("name", ["32.7.2.0.192.rpz-ip", "boese.example.rpz-nsdname", "rpz-nsip"])
def test_a_name_that_would_command_the_resolver_is_left_out(name: str) -> None:
    assert formats.found()["rpz"].unfit(entry("domain", name))


def test_unbound_checkconf_accepts_the_local_zones(tmp_path: Path) -> None:
    settings = tmp_path / "unbound.conf"
    settings.write_text(listing("unbound", domains((*NAMES, LONG))))
    accepted(tool("unbound-checkconf"), str(settings))


def test_unbound_checkconf_accepts_the_local_zones_of_real_feeds(
    tmp_path: Path, real_names: list[str]
) -> None:
    settings = tmp_path / "unbound.conf"
    settings.write_text(listing("unbound", domains(real_names)))
    accepted(tool("unbound-checkconf"), str(settings))


def test_dnsmasq_accepts_its_settings(tmp_path: Path) -> None:
    settings = tmp_path / "dnsmasq.conf"
    settings.write_text(listing("dnsmasq", domains((*NAMES, LONG))))
    accepted(tool("dnsmasq"), "--test", f"--conf-file={settings}")


def test_nft_accepts_the_sets_though_networks_overlap(tmp_path: Path) -> None:
    commands = tmp_path / "sets.nft"
    commands.write_text(listing("nftables", addresses()))
    accepted(*alone("nft"), "-c", "-f", str(commands))


def test_nft_accepts_empty_sets(tmp_path: Path) -> None:
    commands = tmp_path / "sets.nft"
    commands.write_text(listing("nftables", []))
    accepted(*alone("nft"), "-c", "-f", str(commands))


def test_nft_accepts_the_sets_of_a_real_feed(tmp_path: Path, data_dir: Path) -> None:
    lines = (data_dir / "stamparm__ipsum" / "levels" / "5.txt").read_text().splitlines()
    found = [line for line in lines if line[:1].isdigit()]
    commands = tmp_path / "sets.nft"
    commands.write_text(listing("nftables", [entry("ipv4", one) for one in found[:PLENTY]]))
    accepted(*alone("nft"), "-c", "-f", str(commands))


def test_overlapping_and_touching_networks_become_one() -> None:
    text = listing("nftables", addresses())
    assert "{ 192.0.2.0-192.0.3.0, 198.51.100.255, 203.0.113.128-203.0.113.255 }" in text


def test_ipset_restores_its_sets_twice() -> None:
    commands = listing("ipset", addresses())
    accepted(*alone("ipset"), "restore", given=commands + commands)
