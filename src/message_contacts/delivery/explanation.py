"""Why a message reaches an address, or not: what each rule says, in order.

The rules are those of `delivery.rules`, asked with what the fan-out would ask them with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from message_contacts.contacts.model import Channel, Contact, DetachedContact
from message_contacts.delivery.candidates import Candidate
from message_contacts.delivery.messages import (
    CANCELLED,
    CAPTURED_BEFORE,
    DAILY_LIMIT,
    EXPIRED,
    Delivery,
    DeliveryState,
    Route,
)
from message_contacts.delivery.rules import RULES, Asked, Circumstances, Finding, Word, findings, judge

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
    #: The delivery that was made for it, or would be.
    delivery: Delivery | None = None
    #: What became of it, or would, where that is not what the rules alone say.
    decided: str = ""

    @property
    def by_rules(self) -> str:
        """`passed`, or the word of the first of the rules that stands against it."""
        return next((each.word for each in self.findings if each.rule in _RULE_NAMES and each.word != Word.PASSED),
                    Word.PASSED)  # fmt: skip

    @property
    def outcome(self) -> str:
        """`passed`: it gets the message, or got it; else why not."""
        return self.decided or self.by_rules


#: What is asked when a delivery leaves, in this order, and the word that each may say.
_AT_SENDING = (("not-cancelled", CANCELLED), ("not-expired", EXPIRED), ("not-captured-before", CAPTURED_BEFORE))
_WITHIN_DAILY_LIMIT = "within-daily-limit"
#: A delivery was made for nobody of that id and address.
NO_DELIVERY = "no-delivery"
_RULE_NAMES = frozenset({EXISTS, *(rule.name for rule in RULES)})
_UNDER_WAY = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENT, DeliveryState.DELIVERED)

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


def as_delivered(explanation: Explanation, delivery: Delivery | None, *, cancelled: bool) -> Explanation:
    """An explanation with what was decided about a message whose deliveries are all made.

    Args:
        delivery: That to the address of the explanation, if there is one.
        cancelled: Whether the message was.
    """
    said = _said_of(explanation.candidate, delivery)
    if delivery is None or said is None:
        if explanation.by_rules != Word.PASSED:
            return explanation
        rule, word = ("not-cancelled", CANCELLED) if cancelled else ("was-found", NO_DELIVERY)
        return _decided(explanation, None, [Finding(rule, word)], word)
    if said not in (Word.PASSED, Route.NOBODY_SUBSCRIBED, Route.FALLBACK):
        return _decided(explanation, delivery, [Finding("was-found", said)], said)
    route = [] if said == Word.PASSED else [Finding("route", said)]
    further = [*route, *_at_sending(delivery)]
    got = delivery.state in _UNDER_WAY
    return _decided(explanation, delivery, further, Word.PASSED if got else delivery.reason or delivery.state)


def as_it_would_be(explanation: Explanation, delivery: Delivery | None, *, used_up: bool) -> Explanation:
    """An explanation with the route of a message that is not published, or not worked out yet.

    Args:
        delivery: What would be made for its address, if that was found out.
        used_up: Whether the text messages of the day are.
    """
    said = _said_of(explanation.candidate, delivery)
    if said in (Route.NOBODY_SUBSCRIBED, Route.FALLBACK) and explanation.by_rules != Word.QUIET_HOURS:
        explanation = _decided(explanation, None, [Finding("route", said)], Word.PASSED)
    candidate = explanation.candidate
    if candidate is not None and candidate.channel is Channel.SMS and explanation.outcome == Word.PASSED:
        word = DAILY_LIMIT if used_up else Word.PASSED
        explanation = _decided(explanation, None, [Finding(_WITHIN_DAILY_LIMIT, word)], word)
    return explanation


def of_delivery(delivery: Delivery) -> Explanation:
    """Of an address that is no contact's now, or is the fallback address."""
    return replace(NO_SUCH_CONTACT, delivery=delivery)


def is_to_fallback(delivery: Delivery) -> bool:
    """Whether it goes to its address as the fallback address."""
    return any(each.word == Route.FALLBACK for each in delivery.contacts)


def _decided(explanation: Explanation, delivery: Delivery | None, further: list[Finding], word: str) -> Explanation:
    return replace(
        explanation,
        findings=(*explanation.findings, *further),
        delivery=delivery or explanation.delivery,
        decided=str(word),
    )


def _said_of(candidate: Candidate | None, delivery: Delivery | None) -> str | None:
    """What was said of a contact, or the fallback address, when a delivery was made; None: it is not for it."""
    if delivery is None:
        return None
    if candidate is None:
        return Route.FALLBACK if is_to_fallback(delivery) else Word.PASSED
    words = [each.word for each in delivery.contacts if each.contact_id == candidate.contact_id]
    if not words:
        return Word.PASSED if delivery.contact_count > len(delivery.contacts) else None
    outranking = [word for word in (Word.PASSED, Route.NOBODY_SUBSCRIBED) if word in words]
    return outranking[0] if outranking else words[0]


def _at_sending(delivery: Delivery) -> list[Finding]:
    """What was said when it left, as far as it came."""
    if delivery.state in (DeliveryState.PENDING, DeliveryState.DEFERRED):
        return [Finding("taken-over", delivery.state)]
    ended = delivery.reason if delivery.state in (DeliveryState.SKIPPED, DeliveryState.EXPIRED) else ""
    found: list[Finding] = []
    for rule, word in _AT_SENDING:
        found.append(Finding(rule, word if ended == word else Word.PASSED))
        if ended == word:
            return found
    if ended and ended != DAILY_LIMIT:
        return [*found, Finding("still-wanted", ended)]
    found.append(Finding("still-wanted", Word.PASSED))
    if delivery.channel is Channel.SMS:
        found.append(Finding(_WITHIN_DAILY_LIMIT, ended or Word.PASSED))
    if not ended:
        failed = delivery.state is DeliveryState.FAILED
        found.append(Finding("taken-over", (delivery.reason or delivery.state) if failed else Word.PASSED))
    return found


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
