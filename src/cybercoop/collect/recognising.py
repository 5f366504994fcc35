"""Recognising one value that a person typed or a device asked for."""

from cybercoop.collect.readers._words import recognise


def recognised(text: str) -> tuple[str, str]:
    """Return kind and normal form of a value as a person writes it, defanged or not.

    Raises ``Refused`` with the reason where it is no address, name, URL or hash.
    """
    kind, (value, *_), _ = recognise(text.strip())
    return kind, value
