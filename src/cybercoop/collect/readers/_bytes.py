"""Find out from the first bytes whether content is text, and in which encoding."""

import codecs
import re

from cybercoop.errors import Malformed

HEAD = 64 * 1024
"""How much of a file is looked at before it is read."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a ZIP file or a document of an office program",
    b"%PDF": "PDF",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\xd0\xcf\x11\xe0": "an old document of an office program",
    b"Rar!": "RAR",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile("[\x80-\ufffc\U00010000-\U0010ffff]")
_REMARK = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|script|meta)\b")
_MARKUP = re.compile(r"\s*<(?:\?xml|!doctype|[a-z][\w:.-]*[\s>])")
_MOST_NULS = 20
# Two letters of Latin-1 in a row may look like one of UTF-8, but seldom do.
_MOST_BROKEN = 4


def refuse_packed(name: str, raw: bytes) -> None:
    """Raise ``Malformed`` for archives and documents of other programs."""
    for mark, what in _PACKED.items():
        if raw.startswith(mark):
            msg = f"{name} is {what}, not text; unpack or export it first."
            raise Malformed(msg)


def refuse_foreign(name: str, head: str) -> None:
    """Raise ``Malformed`` for nothing at all, web pages, XML and what is no text."""
    if not head.strip():
        msg = f"{name} is empty."
        raise Malformed(msg)
    lowered = _REMARK.sub("", head[:4096].lower().lstrip("\ufeff"))
    if _PAGE.match(lowered):
        msg = f"{name} is a web page, not a list: a sign-in or error page may have answered."
        raise Malformed(msg)
    if _MARKUP.match(lowered):
        msg = f"{name} is XML, which is not read here."
        raise Malformed(msg)
    nuls = head.count("\0")
    if nuls > _MOST_NULS and nuls * _MOST_NULS > len(head):
        msg = f"{name} is no text: it is full of NUL characters."
        raise Malformed(msg)


def encoding_of(raw: bytes) -> tuple[str, str, int]:
    """Return the encoding, the one of lines that are not in it, and where the text begins."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return name, name, len(mark)
    # Text in Latin letters has a NUL in every second byte of UTF-16, on one side only.
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    if 5 * max(even, odd) > len(raw) // 2 and 20 * min(even, odd) < len(raw) // 2:
        name = "utf-16-le" if odd > even else "utf-16-be"
        return name, name, 0
    text = raw.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    sound = len(_MULTIBYTE.findall(text))
    if broken > _MOST_BROKEN * sound + (1 if len(raw) == HEAD else 0):
        return "cp1252", "cp1252", 0
    # A file that shows no letter beyond ASCII at first may still turn out to be Latin-1.
    return "utf-8", "utf-8" if sound else "cp1252", 0
