"""Settings from ``cybercoop.toml`` and ``CYBERCOOP_*``; every field has a working default."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, DirectoryPath, Field, FilePath, SecretStr
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cybercoop.errors import Misused

_LAST_PORT = 65535


def _networks(said: object) -> object:
    """Return the networks of a text with commas between them, or of a list of texts."""
    parts = said.split(",") if isinstance(said, str) else said
    if not isinstance(parts, list | tuple):
        return parts
    return tuple(ip_network(str(part).strip()) for part in parts if str(part).strip())


def _shipped() -> Path:
    """Return the definitions of sources that came with the product, installed or checked out."""
    here = Path(__file__).resolve()
    installed = here.parent / "feeds"
    return installed if installed.is_dir() else here.parents[2] / "feeds"


def _shipped_playbooks() -> Path:
    """Return the playbooks and rules that came with the product, installed or checked out."""
    here = Path(__file__).resolve()
    installed = here.parent / "shipped_playbooks"  # ``playbooks`` is a room
    return installed if installed.is_dir() else here.parents[2] / "playbooks"


SHIPPED = _shipped()
PLAYBOOKS = _shipped_playbooks()


class Settings(BaseSettings):
    """Hold every setting; an environment variable wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix="CYBERCOOP_",
        toml_file="cybercoop.toml",
        extra="ignore",
        frozen=True,
    )

    data: Annotated[Path, Field(description="folder for state")] = Path(".cybercoop")
    database: Annotated[str, Field(description="sqlite:///PATH or postgresql://…")] = ""
    feeds: Annotated[Path, Field(description="folder of definitions of sources")] = SHIPPED
    playbooks: Annotated[Path, Field(description="folder of playbooks and triggers.toml")] = (
        PLAYBOOKS
    )
    listen: Annotated[str, Field(description="address and port to serve on")] = "127.0.0.1:8080"
    tls_cert: Annotated[Path | None, Field(description="PEM certificate chain")] = None
    tls_key: Annotated[Path | None, Field(description="PEM private key")] = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        BeforeValidator(_networks),
        Field(description="networks whose X-Forwarded-For is believed, with commas between them"),
    ] = ()
    warninglists: Annotated[
        DirectoryPath | None,
        Field(description="folder of further MISP warning lists for the guard"),
    ] = None
    max_content_length: Annotated[int, Field(ge=1024, description="bytes of one request")] = (
        16 * 1024 * 1024
    )
    page_limit: Annotated[int, Field(ge=1, description="most objects on one TAXII page")] = 1000
    playbook_keys: Annotated[
        DirectoryPath | None, Field(description="folder of PEM files: keys whose signatures count")
    ] = None
    targets: Annotated[
        FilePath | None,
        Field(description="TOML file of systems that playbooks may send requests to"),
    ] = None
    block_alone: Annotated[
        int, Field(ge=0, description="counties that one approval may block at; more take two")
    ] = 3
    base_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s?#]*)?)?$",
            description="public address of the center, for links in mail",
        ),
    ] = ""
    smtp_host: Annotated[str, Field(description="mail server; without one mail is kept")] = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="port of the mail server")] = 587
    smtp_tls: Annotated[
        Literal["starttls", "tls", "none"], Field(description="how the way to it is secured")
    ] = "starttls"
    smtp_user: Annotated[str, Field(description="name that the mail server knows us by")] = ""
    smtp_password: Annotated[SecretStr, Field(description="its password")] = SecretStr("")
    smtp_password_file: Annotated[FilePath | None, Field(description="or a file that holds it")] = (
        None
    )
    mail_from: Annotated[str, Field(description="address that mail comes from")] = ""
    digest_hour: Annotated[int, Field(ge=0, le=23, description="when mail of a day goes out")] = 7
    notice_days: Annotated[int, Field(ge=7, description="how long notices are kept, told")] = 90
    status_hours: Annotated[int, Field(ge=24, description="how long a TAXII status is kept")] = 48
    read_timeout: Annotated[int, Field(ge=1, description="seconds for one request to arrive")] = 30

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic fixes the signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look at arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def database_url(self) -> str:
        """Return the database to use: the one named, else SQLite in the data folder."""
        return self.database or f"sqlite:///{self.data / 'cybercoop.sqlite'}"

    @property
    def public_address(self) -> str:
        """Return where people reach the center: what was said, else where it listens."""
        scheme = "https" if self.tls else "http"
        return (self.base_url or f"{scheme}://{self.listen}").rstrip("/")

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """Return certificate and key, or None for plain HTTP; raise ``Misused`` for half of it."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None or self.tls_key is None:
            missing = "CYBERCOOP_TLS_CERT" if self.tls_cert is None else "CYBERCOOP_TLS_KEY"
            msg = f"CYBERCOOP_TLS_CERT and CYBERCOOP_TLS_KEY go together; {missing} is missing."
            raise Misused(msg)
        return self.tls_cert, self.tls_key

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port of ``listen``; an IPv6 host stands in brackets."""
        host, _, port = self.listen.rpartition(":")
        if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _LAST_PORT:
            msg = (
                f"CYBERCOOP_LISTEN is {self.listen!r}; write HOST:PORT, for example 127.0.0.1:8080"
            )
            raise Misused(msg)
        return host.strip("[]"), int(port)
