"""Why a message reaches an address, or not: what each rule says, in order.

The rules are those of `delivery.rules`, asked with what the fan-out would ask them with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from message_contacts.contacts.model import Channel, Contact, DetachedContact
from message_contacts.delivery.candidates import Candidate
from message_contacts.delivery.rules import Asked, Circumstances, Finding, Word, findings, judge

#: The first rule of every explanation: that there is something to ask the others about.
EXISTS = "exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What decides about one address of one contact, or copy."""

    #: None when there is no such contact, and so nothing else to say.
    candidate: Candidate | None
    findings: Sequence[Finding]
    #: Contacts that the same message reaches at the same address: it gets one copy for all of them.
    shared_with: tuple[str, ...] = ()

    @property
    def decisive(self) -> Finding | None:
        """The rule that stands against it; None when nothing does."""
        return next((finding for finding in self.findings if finding.word is not Word.PASSED), None)


NO_SUCH_CONTACT = Explanation(candidate=None, findings=(Finding(EXISTS, Word.NO_SUCH_CONTACT),))


def explain(
    candidates: Iterable[Candidate], others: Iterable[Candidate], asked: Asked, circumstances: Circumstances
) -> list[Explanation]:
    """An explanation for each of the candidates.

    Args:
        others: The addresses that may be the same as theirs, of all that are in effect; the candidates may be among
            them.
    """
    reached: dict[tuple[Channel, str], list[Candidate]] = {}
    for other in others:
        if other.address is not None and judge(other, asked, circumstances) is Word.PASSED:
            reached.setdefault((other.channel, other.address.key), []).append(other)
    return [_explanation(candidate, reached, asked, circumstances) for candidate in candidates]


def waiting_candidates(contact: Contact, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The replacements of a contact's addresses that wait to be confirmed, as if they were its addresses."""
    waiting = ((candidate, contact.slot(candidate.channel).waiting) for candidate in candidates)
    return [replace(candidate, address=address, verified=None) for candidate, address in waiting if address is not None]


def member_ids(records: Iterable[Contact | DetachedContact]) -> list[str]:
    """The objects, members among them, that contacts are bound to and copies name; each once."""
    return sorted(
        {
            node_id
            for record in records
            for node_id in (
                (binding.node_id for binding in record.bindings) if isinstance(record, Contact) else record.node_ids
            )
        }
    )


def _explanation(
    candidate: Candidate,
    reached: dict[tuple[Channel, str], list[Candidate]],
    asked: Asked,
    circumstances: Circumstances,
) -> Explanation:
    same = reached.get((candidate.channel, candidate.address.key), []) if candidate.address is not None else []
    return Explanation(
        candidate=candidate,
        findings=(Finding(EXISTS, Word.PASSED), *findings(candidate, asked, circumstances)),
        shared_with=tuple(sorted({other.contact_id for other in same if other.contact_id != candidate.contact_id})),
    )
