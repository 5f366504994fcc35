"""The small deployment is what its page says: hardened, complete, and its commands exist."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from cybercoop.__main__ import cli
from cybercoop.config import Settings
from house import rules
from house.tree import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CENTER, PROXY = COMPOSE["services"]["cybercoop"], COMPOSE["services"]["proxy"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PAGE = (ROOT / "docs" / "operations.md").read_text()
UNITS = ("cybercoop.service", "cybercoop-backup.service", "cybercoop-backup.timer")
# Where the folders of the project stand in the wheel.
PACKED = {
    ROOT / "src": "",
    ROOT / "feeds": "cybercoop/feeds/",
    ROOT / "playbooks": "cybercoop/shipped_playbooks/",
}
# Files are opened and written here in ways that a service must be allowed; nothing else is.
CLOSED = {
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "PrivateDevices": "true",
    "NoNewPrivileges": "true",
    "CapabilityBoundingSet": "",
    "RestrictNamespaces": "true",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "cybercoop",
}


class Repeatable(dict[str, str]):
    """A section in which systemd's repeated settings stand as lines of one."""

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, list) and name in self:
            value = [*dict.__getitem__(self, name), *value]
        super().__setitem__(name, value)


def unit(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, dict_type=Repeatable)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(ROOT / "deploy" / name)
    return parser


def instructions() -> list[tuple[str, str]]:
    """Return what the Dockerfile says, in order, with continued lines in one."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line]


def said(instruction: str) -> list[str]:
    return [text for name, text in instructions() if name == instruction]


def copied() -> list[str]:
    """Return what the image is built from."""
    return [name for text in said("COPY") if "--from" not in text for name in text.split()[:-1]]


@pytest.mark.parametrize("service", [CENTER, PROXY], ids=["cybercoop", "proxy"])
def test_a_container_can_change_nothing_but_its_volumes(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "pid", "ipc", "network_mode", "devices"} & set(service)
    assert service["restart"] == "unless-stopped"
    mounted = [one.split(":") for one in service["volumes"]]
    assert [one for one in mounted if one[0] not in COMPOSE["volumes"] and one[-1] != "ro"] == []


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert "ports" not in CENTER
    assert "cap_add" not in CENTER
    assert PROXY["cap_add"] == ["NET_BIND_SERVICE"]
    assert {one.split(":")[0] for one in PROXY["ports"]} == {"80", "443"}
    assert PROXY["depends_on"]["cybercoop"]["condition"] == "service_healthy"


def test_the_center_runs_as_the_user_that_the_image_made() -> None:
    (made,) = [text for text in said("RUN") if "useradd" in text]
    assert f"--uid {CENTER['user']} " in made
    assert said("USER") == ["cybercoop"]
    names = {one.split(":")[0] for one in CENTER["volumes"]}
    folders = {one.split(":")[1] for one in CENTER["volumes"]}
    assert names <= set(COMPOSE["volumes"])
    assert [folder for folder in folders if folder not in made] == []


def test_what_compose_and_systemd_set_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given = dict(CENTER["environment"])
    given |= dict(re.findall(r"(CYBERCOOP_\w+)=(\S+)", DOCKERFILE))
    lines = unit("cybercoop.service")["Service"]["Environment"].split("\n")
    for environment in (given, dict(line.split("=", 1) for line in lines)):
        for name, text in environment.items():
            assert name.removeprefix("CYBERCOOP_").lower() in Settings.model_fields
            monkeypatch.setenv(name, text)
        settings = Settings()
        assert settings.trusted_proxies
        assert settings.address[1] == 8080
        assert settings.data == Path("/var/lib/cybercoop")


def test_the_proxy_leads_to_where_the_center_listens() -> None:
    proxy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "reverse_proxy {$UPSTREAM:127.0.0.1:8080}" in proxy
    assert PROXY["environment"]["UPSTREAM"] == "cybercoop:8080"
    default = Settings.model_fields["max_content_length"].default
    assert f"max_size {default // 2**20}MiB" in proxy
    (network,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert network["subnet"] == CENTER["environment"]["CYBERCOOP_TRUSTED_PROXIES"]


def test_the_health_check_can_be_run() -> None:
    how, program, option, source = CENTER["healthcheck"]["test"]
    assert (how, program, option) == ("CMD", "python", "-c")
    compile(source, "healthcheck", "exec")
    assert ":8080/healthz" in source


def test_the_image_starts_a_command_that_exists() -> None:
    (start,), (words,) = said("ENTRYPOINT"), said("CMD")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(json.loads(start)) <= set(project["scripts"])
    parses(json.loads(words))


def test_the_image_is_built_from_hashed_packages_and_plain_names() -> None:
    assert {text.split()[0] for text in said("FROM")} == {"python:3.12-slim"}
    assert PROXY["image"] == "caddy:2"
    installs = [text for text in said("RUN") if "pip install" in text]
    assert ["--require-hashes" in text for text in installs] == [True, False]
    assert "--no-deps --no-build-isolation" in installs[1]
    assert re.search("^hatchling==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_what_the_image_is_built_from_makes_the_whole_project(tmp_path: Path) -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied():
        assert f"!{name}" in let_in
        place = ROOT / name
        (shutil.copytree if place.is_dir() else shutil.copy)(place, tmp_path / name)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").iterdir()
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("cybercoop/")}
    ours = {
        f"{prefix}{path.relative_to(folder).as_posix()}"
        for folder, prefix in PACKED.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == ours


@pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker here")
def test_docker_understands_the_compose_file() -> None:
    if subprocess.run(
        ["docker", "compose", "version"], check=False, capture_output=True
    ).returncode:
        pytest.skip("This docker has no compose.")
    subprocess.run(["docker", "compose", "config", "--quiet"], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", UNITS[:2])
def test_a_service_may_do_little(name: str) -> None:
    section = dict(unit(name)["Service"])
    assert {key: section.get(key) for key in CLOSED} == CLOSED
    assert "@system-service" in section["SystemCallFilter"]
    assert "~@privileged" in section["SystemCallFilter"]


@pytest.mark.parametrize("name", UNITS[:2])
def test_a_service_starts_a_command_that_exists(name: str) -> None:
    program, *words = unit(name)["Service"]["ExecStart"].split()
    assert program == "/opt/cybercoop/.venv/bin/cybercoop"
    parses(words)


def test_the_data_folder_belongs_to_the_service_alone() -> None:
    service = unit("cybercoop.service")["Service"]
    assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("cybercoop", "0700")
    assert service["WorkingDirectory"] == "/var/lib/cybercoop"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    here = str(Path(sys.executable).parent)
    for name in UNITS:
        text = (ROOT / "deploy" / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/cybercoop/.venv/bin", here))
    command = ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in UNITS)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    # What it does not know is only a warning; those about other units of the machine are not ours.
    warnings = [line for line in answer.stderr.splitlines() if str(tmp_path) in line]
    assert (answer.returncode, warnings) == (0, []), answer.stderr


def ours() -> list[list[str]]:
    """Return the words of every command of cybercoop that the page shows, however it is started."""
    found = []
    for line in rules.commands(PAGE):
        words = [word for word in shlex.split(line) if not re.match("[A-Z_]+=", word)]
        if words[:2] == ["docker", "compose"] and words[2:3] in (["exec"], ["run"]):
            words = words[4:]  # without the service, or without --rm
        if words[:1] == ["cybercoop"]:
            found.append(words[1:])
    return found


def parses(words: list[str]) -> None:
    """Assert that the command takes these words, without running it."""
    command: Any = cli
    while hasattr(command, "commands"):
        known, words = command.commands[words[0]], words[1:]
        command = getattr(known, "real", known)
    command.make_context("cybercoop", list(words))


@pytest.mark.parametrize("words", ours(), ids=" ".join)
def test_every_command_that_the_page_shows_exists(words: list[str]) -> None:
    parses(words)


def test_the_page_shows_both_ways_and_the_way_back() -> None:
    shown = [words[0] for words in ours()]
    assert {"init", "org", "token", "serve", "backup", "restore", "db"} <= set(shown)


def test_text_and_other_languages_are_no_commands() -> None:
    text = "```text\nsaid\n```\nbetween\n```python\nx = 1\n```\nafter\n"
    text += "```sh\n./run\n```\n```\n./test\n```"
    assert rules.commands(text) == ["./run", "./test"]
