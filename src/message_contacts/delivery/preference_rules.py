"""What becomes of what recipients say about their messages: decisions only.

Contacts themselves stay as they are: what is said here is kept apart from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from message_contacts.changes import Change, Decision, Delete, Insert, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.links import Linked
from message_contacts.delivery.standing import HandOver, Preference, QuietHours
from message_contacts.errors import ErrorDefinition

NO_HAND_OVER = ErrorDefinition(404, "EntityNotExists.HandOver", "This HandOver does not exist.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody chose on the page."""

    wanted: frozenset[MessageType]
    quiet: QuietHours | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said at an address before."""

    #: By the contact itself.
    own: Preference | None
    #: For the address, by one click.
    address: Preference | None
    #: By the contact itself at other addresses, most likely such as it had before: that goes on for it.
    elsewhere: Sequence[Preference] = ()

    @property
    def quiet(self) -> QuietHours | None:
        """The contact's quiet hours."""
        return next((each.quiet for each in self._by_contact if each.quiet is not None), None)

    @property
    def language(self) -> str:
        """The language in which the contact wants to be addressed; empty: that of the settings."""
        return next((each.language for each in self._by_contact if each.language), "")

    @property
    def _by_contact(self) -> Sequence[Preference]:
        return (*([] if self.own is None else [self.own]), *self.elsewhere)


def choose(said: Said, linked: Linked, offered: frozenset[MessageType], choice: Choice, now: Instant) -> Decision[None]:
    """Keep what somebody chose: one word of the contact, whichever of its addresses it was given at before.

    A type that is wanted again is wanted at the address too, if one click said otherwise.

    A type that one click took off the address, and that is left off, stays the address's: saved as the contact's own as
    well, it would outlast the click being taken back.

    Args:
        offered: Types that were on the page to be chosen; nothing is said of others.
    """
    before = said.own
    own = before.unwanted if before else frozenset()
    by_click = said.address.unwanted if said.address else frozenset()
    unwanted = own - offered | (offered - choice.wanted - (by_click - own))
    after = _with(before, linked, now, unwanted=unwanted, quiet=choice.quiet, language=choice.language)
    changes = _kept(before, after)
    for each in said.elsewhere:
        left = each.unwanted - (offered & choice.wanted)
        changes += _kept(each, replace(each, unwanted=left, quiet=None, language="", changed_at=now))
    if said.address is not None:
        by_click -= offered & choice.wanted
        changes += _kept(said.address, replace(said.address, unwanted=by_click, changed_at=now))
    return Decision(changes, None)


def lets_go(said: Said, choice: Choice, now: Instant) -> bool:
    """Whether quiet hours that hold messages back now do not stay as they are: what waits for them is to be seen to."""
    quiet = said.quiet
    return quiet is not None and quiet != choice.quiet and quiet.until(now) is not None


def unsubscribe(before: Preference | None, linked: Linked, message_type: MessageType, now: Instant) -> Decision[None]:
    """Take an address off a type."""
    unwanted = (before.unwanted if before else frozenset()) | {message_type}
    return Decision(_kept(before, _with(before, linked, now, unwanted=unwanted)), None)


def subscribe_again(before: Preference | None, message_type: MessageType, now: Instant) -> Decision[None]:
    """Undo `unsubscribe`."""
    if before is None:
        return Decision((), None)
    return Decision(_kept(before, replace(before, unwanted=before.unwanted - {message_type}, changed_at=now)), None)


def ask_to_hand_over(before: HandOver | None, asked: HandOver) -> Decision[None]:
    """Ask the operator; another word while the first was not seen to takes its place."""
    if before is None:
        return Decision((Insert(asked),), None)
    if before.wish == asked.wish:
        return Decision((), None)
    return Decision((Update(before, replace(before, wish=asked.wish)),), None)


def close_hand_over(found: HandOver | None, note: str, *, closed_by: str, now: Instant) -> Decision[HandOver]:
    """Say that somebody has seen to it. One that is closed stays as it is. Raises: NO_HAND_OVER."""
    if found is None:
        raise NO_HAND_OVER()
    if found.closed_at is not None:
        return Decision((), found)
    after = replace(found, closed_at=now, closed_by=closed_by, note=note)
    return Decision((Update(found, after),), after)


def _with(
    before: Preference | None,
    linked: Linked,
    now: Instant,
    *,
    unwanted: frozenset[MessageType],
    quiet: QuietHours | None = None,
    language: str = "",
) -> Preference:
    if before is not None and not linked.contact_id:
        return replace(before, unwanted=unwanted, changed_at=now)
    made = before or Preference(
        account_id=linked.account_id,
        channel=linked.channel,
        address_key=linked.address_key,
        contact_id=linked.contact_id,
        changed_at=now,
    )
    return replace(made, unwanted=unwanted, quiet=quiet, language=language, changed_at=now)


def _kept(before: Preference | None, after: Preference) -> tuple[Change, ...]:
    """The change from what was said to what is said now: nothing said is no row."""
    if before is None:
        return () if after.says_nothing else (Insert(after),)
    if after.says_nothing:
        return (Delete(before),)
    return () if after == replace(before, changed_at=after.changed_at) else (Update(before, after),)
