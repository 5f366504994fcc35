"""The two verdicts on a document: that of the standard's schema, and whether we take it in."""

from itertools import islice

from msgspec import Struct

from cybercoop import errors
from cybercoop.playbooks import contents, documents, graph, schema, usage
from cybercoop.playbooks.findings import Finding, found
from cybercoop.playbooks.steps import Playbook

MOST_FINDINGS = 200


class Verdict(Struct, frozen=True):
    """Hold what was found, and the playbook where nothing keeps it out."""

    playbook: Playbook | None
    findings: tuple[Finding, ...]

    @property
    def fits_schema(self) -> bool:
        """Say whether the standard's schema would take the document."""
        return not any(one.grade == "schema" for one in self.findings)


def check(raw: bytes) -> Verdict:
    """Return the verdict on a document, whatever ``raw`` is; at most ``MOST_FINDINGS`` findings.

    The steps of the check build on each other: where the form is wrong, the way through the steps
    is not looked at.
    """
    try:
        document = documents.parse(raw)
    except errors.Refused as refused:
        return Verdict(None, (found("not-json", (), "schema", reason=refused.reason),))
    findings: list[Finding] = []
    for look in (schema.check, contents.check):
        findings += islice(look(document), MOST_FINDINGS)
        if _is_out(findings):
            return Verdict(None, tuple(findings[:MOST_FINDINGS]))
    playbook = documents.playbook(document)
    for follow in (graph.check, usage.check):
        findings += islice(follow(playbook), MOST_FINDINGS)
    kept = tuple(findings[:MOST_FINDINGS])
    return Verdict(None if _is_out(findings) else playbook, kept)


def _is_out(findings: list[Finding]) -> bool:
    return any(one.grade != "warning" for one in findings)
