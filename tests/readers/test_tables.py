"""A table is read by what its columns hold; every row gets a verdict."""

import pytest

from cybercoop.collect import reading
from cybercoop.collect.reading import Bad, Found, Options, Passed, Value
from cybercoop.errors import Malformed, Misused

DAY = 1_767_225_600_000_000  # 2026-01-01


def read(text: str, options: Options | None = None, name: str = "list.csv") -> list[Found]:
    found = list(reading.read(name, text.encode(), options))
    given = reading.opened(name, text.encode())
    assert reading.choose(name, given.head).NAME == "csv"
    return found


def values(found: list[Found]) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in found if isinstance(one, Value)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_headings_name_the_columns(delimiter: str) -> None:
    text = "type,indicator,description,confidence,first_seen,valid_until,tags,tlp\n"
    text += "domain,evil[.]example[.]net,a note,80,2026-01-01,2026-01-02T00:00:00Z,c2 rat,TLP:AMBER"
    found = read(text.replace(",", delimiter))
    assert found == [
        Passed("line 1", "heading"),
        Value(
            "line 2",
            "domain",
            "evil.example.net",
            "a note",
            80,
            DAY,
            DAY + 86_400_000_000,
            ("c2", "rat"),
            "amber",
        ),
    ]


@pytest.mark.parametrize(
    ("heading", "bad", "good", "reason"),
    [
        ("to_ids", "1", "0", "not meant for detection (to_ids is false)"),
        ("False Positive", "", "yes", "said to be harmless"),
        ("is_whitelisted", "no", "TRUE", "said to be harmless"),
        ("Bewertung", "schädlich", "Fehlalarm", "said to be harmless"),
        ("verdict", "malicious", "false-positive", "said to be harmless"),
    ],
)
def test_what_a_row_says_is_harmless_is_passed(
    heading: str, bad: str, good: str, reason: str
) -> None:
    text = (
        f"type,value,{heading}\ndomain,evil.example.net,{bad}\ndomain,portal.example.net,{good}\n"
    )
    found = read(text)
    assert values(found) == [("domain", "evil.example.net")]
    assert found[-1] == Passed("line 3", reason)


def test_a_heading_may_stand_in_the_last_comment_above() -> None:
    found = read(
        "# made today\n# id,dateadded,url,threat\n1,2026-01-01,http://a.example.net/x,rat\n"
    )
    assert found[2:] == [
        Value("line 3", "url", "http://a.example.net/x", "rat", valid_from=DAY),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "zeek.txt",
            (
                "#fields\tindicator\tindicator_type\tmeta.source\n"
                "evil.org\tIntel::DOMAIN\tx\n198.51.100.7\tIntel::ADDR\tx\n"
            ),
        ),
        (
            "checkpoint.csv",
            (
                "#UNIQ-NAME,VALUE,TYPE,CONFIDENCE,SEVERITY,PRODUCT,COMMENT\n"
                "x1,evil.org,Domain,high,high,AV,c\nx2,198.51.100.7,IP,low,low,AB,c\n"
            ),
        ),
        (
            "defender.csv",
            (
                "indicatorType,indicatorValue,action,title\n"
                "DomainName,evil.org,Block,t\nIpAddress,198.51.100.7,Block,t\n"
            ),
        ),
        (
            "deutsch.csv",
            "Wert;Typ;Gültig bis\nevil.org;Domain;31.12.2026\n198.51.100.7;IP-Adresse;1.1.2027\n",
        ),
        (
            "threatfox.csv",
            (
                '# "ioc_value","ioc_type","confidence_level"\n'
                '"evil.org", "domain", "75"\n"198.51.100.7:443", "ip:port", "100"\n'
            ),
        ),
    ],
)
def test_tables_of_known_products_are_read_without_a_mapping(name: str, text: str) -> None:
    found = read(text, name=name)
    assert values(found) == [("domain", "evil.org"), ("ipv4", "198.51.100.7")]


def test_columns_without_headings_are_known_by_what_they_hold() -> None:
    found = read("198.51.100.7,ipaddress,one\nevil.org,hostname,two\n")
    assert values(found) == [("ipv4", "198.51.100.7"), ("domain", "evil.org")]
    assert [one.comment for one in found if isinstance(one, Value)] == ["one", "two"]


def test_several_hashes_of_one_file_are_several_values() -> None:
    text = f'value,type\n"{"a" * 32},{"b" * 40},{"c" * 64}",file\n'
    assert [kind for kind, _ in values(read(text))] == ["md5", "sha1", "sha256"]
    text = f"md5,sha1,sha256,name\n{'a' * 32},{'b' * 40},,setup.exe\n"
    assert [kind for kind, _ in values(read(text))] == ["md5", "sha1"]


def test_the_address_that_a_name_led_to_is_not_blocked_with_it() -> None:
    text = "ip,domain,url\n198.51.100.7,evil.org,http://evil.org/x\n198.51.100.8,evil.org,\n"
    text += "198.51.100.9,,\n"
    assert values(read(text)) == [
        ("url", "http://evil.org/x"),
        ("domain", "evil.org"),
        ("ipv4", "198.51.100.9"),
    ]
    mapping = {"ip": "ipv4", "domain": "domain"}
    assert len(values(read(text, Options(mapping=mapping)))) == 5


def test_a_mapping_beats_everything_that_is_guessed() -> None:
    text = "when;bad thing;seen at\n2026-01-01;198.51.100.7;own.example.net\n"
    mapping = {"bad thing": "ipv4", "when": "valid_from"}
    assert read(text, Options(mapping=mapping))[1:] == [
        Value("line 2", "ipv4", "198.51.100.7", valid_from=DAY)
    ]
    numbered = Options(mapping={"3": "value"}, delimiter=";")
    assert values(read(text, numbered)) == [("domain", "own.example.net")]


def test_quotes_may_hold_delimiters_quotes_and_lines() -> None:
    text = 'value,description\nevil.org,"a, ""b""\nand c"\nnext.org,x\n'
    found = read(text)
    assert [(one.where, one.comment) for one in found if isinstance(one, Value)] == [
        ("lines 2 to 3", 'a, "b" and c'),
        ("line 4", "x"),
    ]


def test_a_quote_that_never_ends_swallows_nothing() -> None:
    rows = "".join(f"x{number}.org,y\n" for number in range(50))
    found = read(f'value,description\nevil.org,"open\n{rows}')
    assert isinstance(found[1], Bad)
    assert len(values(found)) == 50


def test_sloppy_quotes_inside_of_quotes_are_understood() -> None:
    found = read('value,type,notes\nevil.org,hostname,"signed by "Example"."\n')
    assert values(found) == [("domain", "evil.org")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("evil.org,registry,,", "The type 'registry' is none that a device can block by."),
        ("evil.org,md5,,", "'evil.org' is of the kind domain, not md5."),
        ("evil.org,domain,101,", "'101' is no confidence from 0 to 100."),
        ("evil.org,domain,,TLP:CHARTREUSE", "'TLP:CHARTREUSE' is no level of TLP"),
        ("no name,domain,,", "'no name' is not a domain name."),
        ("=1+1,domain,,", "'=1+1' is not a domain name."),
    ],
)
def test_a_row_is_refused_with_the_reason(row: str, reason: str) -> None:
    good = "good.org,domain,50,green\n" * 5
    text = f"value,type,confidence,tlp\n{good}{row}\n"
    mapping = {"value": "value", "type": "type", "confidence": "confidence", "tlp": "tlp"}
    last = read(text, Options(mapping=mapping))[-1]
    assert isinstance(last, Bad)
    assert last.where == "line 7"
    assert last.reason.startswith(reason)


def test_a_row_without_a_value_is_passed() -> None:
    found = read("value,description\nevil.org,x\n,only a remark\n,\n\n")
    assert found[2:] == [
        Passed("line 3", "no value in this row"),
        Passed("line 4", "blank"),
        Passed("line 5", "blank"),
    ]


def test_a_row_of_very_many_columns_is_refused_and_the_next_is_read() -> None:
    found = read("value,description\nevil.org,x\n" + "a," * 7000 + "\nnext.org,y\n")
    assert [type(one) for one in found] == [Passed, Value, Bad, Value]


def test_a_table_without_values_is_refused_as_a_whole() -> None:
    with pytest.raises(Malformed, match=r"No column of list\.csv holds values"):
        list(reading.read("list.csv", b"a,b\n1,2\n", None, reading.readers()["csv"]))


@pytest.mark.parametrize(
    "wrong", [{"mapping": {"a": "colour"}}, {"kind": "colour"}, {"delimiter": "ab"}]
)
def test_options_that_nobody_would_obey_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Misused):
        Options(**wrong)  # type: ignore[arg-type]
