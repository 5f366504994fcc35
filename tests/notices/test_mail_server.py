"""The way to the mail server: TLS that is verified, a password, and refusals in our own words."""

import ssl
from pathlib import Path

import pytest
import trustme

from cybercoop.notices import mail, writing
from cybercoop.notices.mail import Mailbox, NotDelivered
from cybercoop.notices.writing import Line
from notices.receivers import Letterbox, mail_server
from world import START

AUTHORITY = trustme.CA()


def tls(name: str = "localhost") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


async def send(box: Letterbox, **more: object) -> None:
    said = {"host": "localhost", "port": box.port, "sender": "z@zentrum.example"} | more
    mailbox = Mailbox(**said)  # type: ignore[arg-type] # by name
    written = writing.mail([Line("id")], "https://zentrum.example/")
    await mail.send(mailbox, mail.composed(mailbox, "it@a.example", "id", ["id"], written, START))


@pytest.fixture
def _trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.mark.usefixtures("_trusted")
async def test_mail_goes_over_tls_with_a_password_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("right\n")
    async with mail_server(tls=tls()) as box:
        await send(box, user="coop", password_file=secret)
        assert (len(box.taken), box.logins) == (1, [b"right"])
        secret.write_text("wrong\n")
        with pytest.raises(NotDelivered, match="does not let us in") as told:
            await send(box, user="coop", password_file=secret)
        assert not told.value.final
        secret.unlink()
        with pytest.raises(NotDelivered, match="password of the mail server cannot be read"):
            await send(box, user="coop", password_file=secret)
        assert len(box.taken) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_no_mail() -> None:
    async with mail_server(tls=tls()) as box:
        with pytest.raises(NotDelivered, match="certificate"):
            await send(box, user="coop", password="right")
        assert (box.came, box.logins) == ([], [])


@pytest.mark.usefixtures("_trusted")
async def test_a_certificate_of_another_name_gets_no_mail() -> None:
    async with mail_server(tls=tls("other.example")) as box:
        with pytest.raises(NotDelivered, match="certificate"):
            await send(box, user="coop", password="right")
        assert (box.came, box.logins) == ([], [])


async def test_a_server_without_tls_gets_no_mail_unless_that_is_said() -> None:
    async with mail_server() as box:
        with pytest.raises(NotDelivered) as told:
            await send(box)
        assert not told.value.final
        assert box.came == []
        await send(box, tls="none")
        assert len(box.taken) == 1


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with mail_server() as box:
        pass
    with pytest.raises(NotDelivered, match="cannot be reached") as told:
        await send(box, tls="none")
    assert not told.value.final
