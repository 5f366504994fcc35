"""The form of addresses of agents and targets, as loose as the published schemas have it.

Their expressions are not anchored at the front: what counts is how a text ends (for a URL, that
two letters of a name stand behind a dot somewhere). Written here by what they accept.
"""

import re

from cybercoop.playbooks.shapes import Form, items, keyed, text

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_TIGHT = r"(?:25[0-5]|(?:2[0-4]|1?[0-9])?[0-9])"
_QUAD = rf"{_TIGHT}(?:\.{_TIGHT}){{3}}"
_GROUP = ":[0-9a-fA-F]{1,4}"
_HEX = "[0-9a-fA-F]"

_URL = re.compile(r"[a-zA-Z0-9()?:/.@%_+~#=]{2}\.[a-z]{2,6}\b")
_MAC = re.compile(r"\A[a-fA-F0-9]{2}(?::[a-fA-F0-9]{2}){5}\Z")
_IPV4 = re.compile(rf"\b{_OCTET}(?:\.{_OCTET}){{3}}\Z")
_IPV6 = re.compile(
    rf"(?:{_HEX}(?:{_GROUP}){{7}}"
    rf"|:(?:(?:{_GROUP}){{1,7}}|:)"
    rf"|fe80:(?::{_HEX}{{0,4}}){{0,4}}%[0-9a-zA-Z]+"
    rf"|::(?:ffff(?::0{{1,4}})?:)?{_QUAD})\Z"
)


def form(vlan: Form) -> Form:
    """Return the form of an address object; the schemas differ in what a VLAN's number is."""
    forms = {
        "url": items(text(_URL, "https://host.test/")),
        "l2mac": items(text(_MAC, "00:00:5e:00:53:01")),
        "ipv4": items(text(_IPV4, "192.0.2.1")),
        "ipv6": items(text(_IPV6, "2001:db8::1")),
        "vlan": items(vlan),
        "dname": items(text()),
    }
    return keyed({re.compile(rf"\A{name}\Z"): of for name, of in forms.items()})
