"""Gzip taken apart with a limit: a bomb costs no more memory than an honest file may."""

import zlib

from cybercoop.errors import Malformed, TooLarge

MAGIC = b"\x1f\x8b"
_GZIP = 31  # window of 32 KiB, with the header and checksum of RFC 1952


def unpacked(data: bytes, most: int) -> bytes:
    """Return what is packed in ``data``, all members of it (RFC 1952 section 2.2).

    Raise ``Malformed`` for what is broken or ends early, ``TooLarge`` above ``most`` bytes.
    """
    whole = bytearray()
    rest = data
    while rest:
        part = zlib.decompressobj(_GZIP)
        try:
            whole += part.decompress(rest, most - len(whole) + 1)
        except zlib.error:
            raise Malformed("The packed data is broken.") from None
        if len(whole) > most:
            msg = f"The data unpacks to more than {most} bytes."
            raise TooLarge(msg)
        if not part.eof:
            raise Malformed("The packed data ends too early.")
        rest = part.unused_data.lstrip(b"\0")  # tapes and some servers pad with zeros
    return bytes(whole)
