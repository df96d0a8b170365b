"""What shows that a chain was changed: its events gone along, from the database or from the lines of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from message_contacts.audit.chain import chained
from message_contacts.audit.keeping import Salted, canonical
from message_contacts.audit.model import NO_HASH
from message_contacts.audit.retention import NEVER
from message_contacts.clock import Instant

#: Breaks of one chain that are told one by one.
BREAKS_TOLD = 20

#: The moment before which events are due to be taken away, or what says it as of now; None: that is not known.
Due = Instant | Callable[[], Instant] | None

#: Told when it cannot have been retention, as far as settings say now.
_NOT_BY_RETENTION = "It was not due: somebody took it away, or AUDIT_KEPT_DAYS was less before"


@dataclass(frozen=True, slots=True)
class Head:
    """An event of a chain that was noted elsewhere."""

    sequence: int
    hash: str


@dataclass(slots=True)
class Verdict:
    """What is found about one chain."""

    account_id: str
    #: Sealed events looked at.
    events: int = 0
    #: Events that wait to be sealed: nothing proves anything about them yet.
    unsealed: int = 0
    #: Personal parts that are gone: their persons were erased.
    erased: int = 0
    #: Sequence of the last event that retention took away.
    pruned: int = 0
    #: The last event, to be noted elsewhere.
    head: Head = field(default_factory=lambda: Head(0, NO_HASH.hex()))
    #: What is wrong, as sentences; the first ones.
    breaks: list[str] = field(default_factory=list)

    @property
    def unbroken(self) -> bool:
        """Whether nothing shows that the chain was changed."""
        return not self.breaks


class Verifier:
    """Goes along one chain, line by line, and says where it breaks."""

    def __init__(self, chain: Mapping[str, Any], noted: Iterable[Head] = (), due_before: Due = None) -> None:
        """Begin with what the first line of an export says under `chain`.

        Args:
            noted: Heads that were noted elsewhere, which the chain must go through.
            due_before: Retention takes away what happened before this moment, the last such event excepted:
                `audit.retention.due_before`. None: that is not known, and not looked at. What says it as of now is
                asked when the first event is there: retention goes on while a long trail is verified.
        Raises: ValueError when that is not the beginning of a chain.
        """
        try:
            self.verdict = Verdict(str(chain["account_id"]))
            end = Head(int(chain["sequence"]), str(chain["hash"]))
            beginning = Head(int(chain["pruned_sequence"]), bytes.fromhex(chain["pruned_hash"]).hex())
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not the beginning of a chain: {problem}") from None
        #: Whether something had no place in order, so that nobody could go on behind it.
        self.is_stuck = False
        self._noted = {head.sequence: head.hash for head in noted}
        self._begin(beginning, end, due_before)

    def begin_again(self, beginning: Head, end: Head, due_before: Due) -> None:
        """Go on at a later beginning: retention has meanwhile taken away what was to come next. What was found stays.

        Args:
            due_before: As at first: what was taken away must have been due.
        """
        for sequence in sorted(self._noted):
            if self._last.sequence < sequence <= beginning.sequence:
                del self._noted[sequence]
                self._tell_taken_away(sequence)
        self._begin(beginning, end, due_before)

    def take_over(self, before: Verifier) -> None:
        """Go on for one of the same chain that retention has overtaken: what it found stays.

        Every head that was noted is looked for again, and so is the end that the chain had then: who cuts it meanwhile
        cannot say that this was retention.
        """
        end = before._expected_end
        if end.sequence > self._beginning:
            self._noted.setdefault(end.sequence, end.hash)
        for sentence in before.verdict.breaks:
            self.spoiled(sentence)

    def _begin(self, beginning: Head, end: Head, due_before: Due) -> None:
        self._last = self.verdict.head = beginning
        self._expected_end = end
        self._due_before = due_before
        self._beginning = self.verdict.pruned = beginning.sequence
        if _moment(due_before) == NEVER and beginning.sequence:
            self.spoiled(f"the beginning is missing: sequence {_range(1, beginning.sequence)}. {_NOT_BY_RETENTION}")
        if due_before is not None and 0 < beginning.sequence == end.sequence:
            self.spoiled(
                f"all events are missing: sequence {_range(1, beginning.sequence)}. Retention leaves the last one"
            )

    def take(self, line: Mapping[str, Any]) -> None:
        """Look at the next line of the export, parsed.

        Raises: ValueError when it is not one of an event.
        """
        try:
            event = line["event"]
            text = canonical(event)
            event_id, digests = str(event["event_id"]), event["personal_digests"]
            if not isinstance(digests, dict):  # somebody was at the database; the hash will tell
                digests = {}
            given = {part["person_id"]: _digest_of(part) for part in line["personal"]}
            if line["hash"] is None:
                sequence, hash_ = 0, None
            else:
                sequence, hash_ = int(event["sequence"]), bytes.fromhex(line["hash"])
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"not a line of an event: {problem!r}") from None
        self._compare_personal(event_id, digests, given)
        if hash_ is None:
            self.verdict.unsealed += 1
            return
        if sequence > self._expected_end.sequence or sequence <= self._beginning:
            # Not a link of the chain, so it does not become its head: nobody is to note that.
            place = "behind the end" if sequence > self._expected_end.sequence else "before the beginning"
            self.spoiled(f"event {event_id}, sequence {sequence}, stands {place} of the chain: nobody sealed it there")
            return
        self.verdict.events += 1
        last = self._last
        if self._beginning == last.sequence:
            self._compare_beginning(event_id, event.get("happened_at"))
        if sequence <= last.sequence:
            self.spoiled(f"event {event_id} is out of order: sequence {sequence} comes after {last.sequence}")
            return
        if sequence > last.sequence + 1:
            missing = _range(last.sequence + 1, sequence - 1)
            self.spoiled(f"missing before {event_id}: sequence {missing}")
        linked = chained(bytes.fromhex(last.hash), text)
        if len(hash_) != len(NO_HASH):
            self.spoiled(f"event {event_id}, sequence {sequence}, has lost its hash")
            hash_ = linked
        elif sequence == last.sequence + 1 and linked != hash_:
            self.spoiled(f"event {event_id}, sequence {sequence}, or the one before it, is not what was sealed")
        if event.get("account_id") != self.verdict.account_id:
            self.spoiled(f"event {event_id}, sequence {sequence}, is of another account")
        # From here on the hash that stands there: one change is one break, not a break in all that follows.
        self._last = self.verdict.head = Head(sequence, hash_.hex())
        self._pass(self._last)

    def stray(self, person_id: object, event_id: object) -> None:
        """Look at a personal part that its event does not name."""
        self.spoiled(f"the personal part of {person_id} was put into event {event_id} later")

    def stuck(self, where: object) -> None:
        """Remember that nobody could go on behind a place."""
        self.is_stuck = True
        self.spoiled(f"{where} cannot be gone behind: what stands there has no place in order, and hides what follows")

    def end(self) -> Verdict:
        """What was found, after the last line."""
        last, expected = self._last, self._expected_end
        if last.sequence < expected.sequence:
            self.spoiled(f"missing at the end: sequence {_range(last.sequence + 1, expected.sequence)}")
        elif last != expected:
            self.spoiled(f"the chain ends with another event than it did: sequence {last.sequence}")
        for sequence in sorted(self._noted):
            if sequence > last.sequence:
                self.spoiled(f"the head noted, sequence {sequence}, is not there: the chain was cut or made anew")
            elif sequence <= self._beginning:
                self._tell_taken_away(sequence)
        return self.verdict

    def _tell_taken_away(self, sequence: int) -> None:
        """A head that was noted lies before the beginning.

        Also where only that very event is the last that went: its hash would be right, but nothing that was sealed up
        to it is left, so that nothing shows whether it was due.
        """
        self.spoiled(f"the head noted, sequence {sequence}, was taken away by retention and cannot be compared")

    def _compare_beginning(self, event_id: str, happened_at: Any) -> None:
        """What went before the first event that is left must have been due: then that one is due itself."""
        due_before = _moment(self._due_before)
        if not self.verdict.pruned or due_before is None or due_before == NEVER:
            return
        if not isinstance(happened_at, int) or happened_at >= due_before:
            missing = _range(1, self._beginning)
            self.spoiled(f"the beginning is missing: sequence {missing}, before {event_id}. {_NOT_BY_RETENTION}")

    def _pass(self, head: Head) -> None:
        """Compare with what was noted elsewhere."""
        noted = self._noted.pop(head.sequence, None)
        if noted is not None and noted.lower() != head.hash:
            self.spoiled(f"sequence {head.sequence} has another hash than the one noted: the chain was made anew")

    def _compare_personal(self, event_id: str, digests: dict[str, str], given: dict[str, str]) -> None:
        for person_id, was in digests.items():
            if person_id not in given:
                self.verdict.erased += 1
            elif given[person_id] != was:
                self.spoiled(f"the personal part of {person_id} in event {event_id} was changed")
        for person_id in given:
            if person_id not in digests:
                self.spoiled(f"the personal part of {person_id} in event {event_id} was put there later")

    def spoiled(self, sentence: str) -> None:
        """Remember what is wrong."""
        if len(self.verdict.breaks) < BREAKS_TOLD:
            self.verdict.breaks.append(sentence)


class Reader:
    """Reads an export line by line and verifies every chain in it."""

    def __init__(self, noted: Mapping[str, Iterable[Head]] | None = None, due_before: Due = None) -> None:
        """Begin before the first line.

        Args:
            noted: Heads that were noted elsewhere, by account.
            due_before: As for `Verifier`.
        """
        self._due_before = due_before
        self._noted = noted or {}
        self._verifier: Verifier | None = None
        self._number = 0

    def take(self, text: bytes) -> Verdict | None:
        """Read the next line. Returns: The verdict on the chain before, when another one begins.

        Raises: ValueError, which names the line, when something comes before the beginning of a chain.
        """
        self._number += 1
        if not text.strip():
            return None
        ended = None
        try:
            line = _parsed(text)
            if "chain" in line:
                ended = self._begin(line["chain"])
            elif self._verifier is None:
                raise ValueError("the beginning of the chain is missing")  # noqa: TRY301 - told like the others
            elif isinstance(stray := line.get("stray"), dict):
                self._verifier.stray(stray.get("person_id"), stray.get("event_id"))
            elif "stuck" in line:
                self._verifier.stuck(line["stuck"])
            else:
                self._verifier.take(line)
        except ValueError as problem:
            if self._verifier is None:
                raise ValueError(f"line {self._number}: {problem}") from None
            self._verifier.spoiled(f"line {self._number} cannot be read: {problem}")
        return ended

    def _begin(self, chain: Mapping[str, Any]) -> Verdict | None:
        """Begin a chain, or the same one again: then there is no verdict on it yet."""
        account_id = str(chain.get("account_id"))
        following = Verifier(chain, self._noted.get(account_id, ()), self._due_before)
        before = self._verifier
        ended = None
        if before is not None and chain.get("again") is True and before.verdict.account_id == account_id:
            following.take_over(before)
        else:
            ended = self.end()
        self._verifier = following
        return ended

    def end(self) -> Verdict | None:
        """The verdict on the last chain, after the last line."""
        return None if self._verifier is None else self._verifier.end()


def verify(
    lines: Iterable[bytes], noted: Mapping[str, Iterable[Head]] | None = None, due_before: Instant | None = None
) -> Iterator[Verdict]:
    """A verdict for each chain of an export: see `Reader`."""
    reader = Reader(noted, due_before)
    for line in lines:
        if (verdict := reader.take(line)) is not None:
            yield verdict
    if (verdict := reader.end()) is not None:
        yield verdict


def _moment(due: Due) -> Instant | None:
    return due() if callable(due) else due


def _parsed(text: bytes) -> dict[str, Any]:
    line = orjson.loads(text)
    if not isinstance(line, dict) or not isinstance(line.get("chain", {}), dict):
        raise ValueError("not a line of an export")  # noqa: TRY004 - told like any other unreadable line
    return line


def _digest_of(part: Mapping[str, Any]) -> str:
    return Salted.of(bytes.fromhex(part["salt"])).digest(canonical(part["details"]).decode())


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
