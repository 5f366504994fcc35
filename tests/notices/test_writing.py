"""What stands in a mail can do no harm, and is there in both languages and both forms."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cybercoop.notices import mail, writing
from cybercoop.notices.delivering import digest_time
from cybercoop.notices.mail import Mailbox, NotDelivered
from cybercoop.notices.writing import Line
from cybercoop.playbooks.templates import shown
from cybercoop.store.notices import Notice
from world import SECOND, START

BOX = Mailbox("mail.example", 587, "zentrum@zentrum.example")
NOTICE = Notice(
    "key", "org", "now", "public", "Sperrung", "Block", "Bitte handeln.", "Please act.", START
)


def composed(notice: Notice = NOTICE, to: str = "it@landkreis.example") -> EmailMessage:
    line = Line("id", writing.words_of(notice), "https://zentrum.example/t/token")
    written = writing.mail([line], "https://zentrum.example/")
    made = mail.composed(BOX, to, "id", ["id"], written, START)
    return email.message_from_bytes(made.as_bytes(), policy=email.policy.default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_mail_says_all_in_both_languages_and_forms() -> None:
    message = composed()
    assert message["Subject"] == "Sperrung / Block"
    assert message["Message-ID"] == "<id@zentrum.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Cybercoop-Notice"] == "id"
    for kind in ("plain", "html"):
        text = part(message, kind)
        assert text.index("Bitte handeln.") < text.index("Please act.")
        assert text.count("https://zentrum.example/t/token") >= 2


HOSTILE = (
    "http://evil-host.net/x?a=1",
    "www.evil-host.net",
    "it@evil-host.net",
    "<script>alert(1)</script>",
    '"><a href="https://evil-host.net">Klick</a>',
    "\u202egnp.exe",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_what_came_from_outside_is_no_link_and_no_html(value: str) -> None:
    said = {"subject_de": value, "text_de": f"Wert: {value}\nEnde", "text_en": value}
    message = composed(replace(NOTICE, **said))
    html, text = part(message, "html"), part(message, "plain")
    for form in (html, text, str(message["Subject"])):
        assert "evil-host.net" not in form
        assert "\u202e" not in form
        assert "javascript:" not in form
        assert "49" not in form
    assert "<script" not in html
    assert html.count("<a ") == 4
    assert "Ende" in text


@given(st.text(max_size=80))
def test_no_subject_or_text_makes_a_header(value: str) -> None:
    said = f"{value}\r\nBcc: x@evil-host.net\r\n\r\n{value}"
    message = composed(
        replace(NOTICE, subject_de=said, subject_en=value, text_de=said, text_en=said)
    )
    assert sorted(message.keys()) == sorted(composed().keys())
    assert message["To"] == "it@landkreis.example"


def test_what_is_shown_already_stays_as_it_is() -> None:
    value = shown("http://evil-host.net/ von 10.1.2.3 an it@evil-host.net «x»")
    assert writing.harmless(f"Gesperrt: «{value}»") == f"Gesperrt: «{value}»"
    lines = "Erstens um 14:30\n\nZweitens, siehe Anlage."
    assert writing.harmless(lines) == lines


@given(st.text(max_size=300))
def test_making_harmless_twice_changes_nothing_more(text: str) -> None:
    once = writing.harmless(text)
    assert writing.harmless(once) == once


@pytest.mark.parametrize(
    "to",
    ["a@b@c.example", "a b@c.example", "it@c.example, x@evil.example", "a\r\nBcc: x@y", "", "a@"],
)
def test_an_address_that_cannot_be_written_to_is_given_up(to: str) -> None:
    with pytest.raises(NotDelivered) as told:
        composed(to=to)
    assert told.value.final


def test_a_domain_is_written_as_the_dns_knows_it() -> None:
    assert composed(to="it@köln.example")["To"] == "it@xn--kln-sna.example"


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)),  # noqa: DTZ001 - UTC follows
    st.integers(0, 23),
)
def test_mail_of_the_day_goes_out_once_a_day_by_the_clock_on_the_wall(
    moment: datetime, hour: int
) -> None:
    now = int(moment.replace(tzinfo=UTC).timestamp()) * SECOND
    at = digest_time(now, hour)
    before = digest_time(at - 1, hour)
    assert before < at <= now
    assert 23 <= (at - before) / (3600 * SECOND) <= 25
    assert now - at < 25 * 3600 * SECOND
    assert digest_time(at, hour) == at
    wall = datetime.fromtimestamp(at // SECOND, ZoneInfo("Europe/Berlin"))
    skipped = hour == 2 and wall.hour == 3 and wall.dst() == timedelta(hours=1)
    assert (wall.hour, wall.minute) == (hour, 0) or skipped
