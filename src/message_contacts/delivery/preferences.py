"""What somebody who gets messages can say about them, by the links in each mail: what, when, in which language, or not.

Looking changes nothing. Contacts themselves stay as they are: what is said here is kept apart from them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from message_contacts.changes import Cause, Decision, Enqueue, Settler, Update
from message_contacts.clock import Clock
from message_contacts.contacts.model import Contact, DetachedContact, MessageType
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.candidates import Because, Reason
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.links import Linked, Links, Purpose
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import Delivery
from message_contacts.delivery.preference_rules import (
    Choice,
    Said,
    ask_to_hand_over,
    choose,
    lets_go,
    subscribe_again,
    unsubscribe,
)
from message_contacts.delivery.preference_views import NamedReason, UnsubscribeView, View, Wanted
from message_contacts.delivery.quiet_release import release_job
from message_contacts.delivery.standing import (
    HandOver,
    Preference,
    StandingRules,
    masked,
)
from message_contacts.delivery.standing_store import StandingStore
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.directory.store import DirectoryStore
from message_contacts.ids import Ids

log = structlog.get_logger()

S = TypeVar("S")

#: Characters of a wish.
WISH_LENGTH = 300
#: Reasons that a page lists.
_REASONS_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceService:
    """The recipient's side of messages."""

    standing: StandingStore
    contacts: ContactStore
    directories: DirectoryStore
    routing: RoutingStore
    messages: MessageStore
    links: Links
    settler: Settler
    clock: Clock
    ids: Ids
    tally: Tally
    rules: StandingRules

    async def look(self, token: str) -> View | None:
        """What the link is about; None when it is none of ours."""
        linked = await self._linked(Purpose.PREFERENCES, token)
        return None if linked is None else await self._view(linked)

    async def choose(self, token: str, choice: Choice, source_address: str) -> View | None:
        """Keep what somebody chose, and show it."""
        linked = await self._linked(Purpose.PREFERENCES, token)
        if linked is None:
            return None
        shown = await self._view(linked)
        offered = frozenset(kind for kind, wanted in shown.types if wanted in (Wanted.YES, Wanted.NO))

        now = self.clock.now()

        def decide(said: Said) -> Decision[None]:
            chosen = choose(said, linked, offered, choice, now)
            if not lets_go(said, choice, now):
                return chosen
            release = release_job(linked.account_id, linked.contact_id, self.ids, now)
            return Decision((*chosen.changes, Enqueue(release)), None)

        await self._settle(
            lambda: self._all_said(linked),
            decide,
            linked,
            Cause(operation="page:preferences", visitor_address=source_address),
        )
        log.info("preferences_changed", account_id=linked.account_id, contact_id=linked.contact_id)
        return await self._view(linked)

    async def ask_to_hand_over(self, token: str, wish: str, source_address: str) -> View | None:
        """Ask the operator to have somebody else get the messages, and show that it was asked."""
        linked = await self._linked(Purpose.PREFERENCES, token)
        if linked is None:
            return None
        now = self.clock.now()
        asked = HandOver(
            account_id=linked.account_id,
            hand_over_id=self.ids.hand_over(now),
            contact_id=linked.contact_id,
            channel=linked.channel,
            address=linked.address_key,
            wish=wish[:WISH_LENGTH],
            asked_at=now,
        )
        await self._settle(
            lambda: self.standing.open_hand_over(linked.account_id, linked.contact_id),
            lambda found: ask_to_hand_over(found, asked),
            linked,
            Cause(operation="page:hand-over", visitor_address=source_address),
        )
        self.tally.add(Happening.HAND_OVER_ASKED)
        log.warning(Happening.HAND_OVER_ASKED.value, account_id=linked.account_id, contact_id=linked.contact_id)
        return await self._view(linked)

    async def look_at_type(self, token: str) -> UnsubscribeView | None:
        """What a link to unsubscribe is about; None when it is none of ours, or of a type nobody can be without."""
        linked = await self._unsubscribable(token)
        return None if linked is None else await self._unsubscribe_view(linked)

    async def unsubscribe(self, token: str, source_address: str) -> UnsubscribeView | None:
        """Take the address off the type."""
        return await self._act_on_type(
            token,
            lambda before, linked, kind: unsubscribe(before, linked, kind, self.clock.now()),
            "unsubscribed",
            Cause(operation="page:unsubscribe", visitor_address=source_address),
        )

    async def subscribe_again(self, token: str, source_address: str) -> UnsubscribeView | None:
        """Undo that."""
        return await self._act_on_type(
            token,
            lambda before, _linked, kind: subscribe_again(before, kind, self.clock.now()),
            "subscribed_again",
            Cause(operation="page:subscribe-again", visitor_address=source_address),
        )

    async def _act_on_type(
        self,
        token: str,
        decide: Callable[[Preference | None, Linked, MessageType], Decision[None]],
        event: str,
        cause: Cause,
    ) -> UnsubscribeView | None:
        linked = await self._unsubscribable(token)
        if linked is None or linked.message_type is None:
            return None
        kind = linked.message_type
        await self._settle(lambda: self._said(linked), lambda before: decide(before, linked, kind), linked, cause)
        log.info(event, account_id=linked.account_id, message_type=kind.value)
        return await self._unsubscribe_view(linked)

    async def _settle(
        self, read: Callable[[], Awaitable[S]], decide: Callable[[S], Decision[None]], linked: Linked, cause: Cause
    ) -> None:
        """Every change that a page makes goes through here.

        A row that goes or changes when the person is erased is moved along: of the two, whoever comes second decides
        again. So nothing is kept of somebody who is being erased, and no erasure overlooks what was just said.
        """

        async def grounded() -> tuple[object | None, S]:
            return await self._ground(linked), await read()

        def decided(found: tuple[object | None, S]) -> Decision[None]:
            ground, said = found
            changes = decide(said).changes
            return Decision((Update(ground, ground), *changes) if ground is not None and changes else (), None)

        await self.settler.settle(grounded, decided, cause=cause)

    async def _ground(self, linked: Linked) -> Contact | DetachedContact | Delivery | None:
        """A row that tells that the link is about somebody who was not erased; None: about nobody."""
        account_id, contact_id = linked.account_id, linked.contact_id
        if not contact_id:
            place = linked.channel, linked.address_key
            sent = await self.messages.delivery_page(
                account_id, message_id=None, state=None, address=place, after=None, limit=1
            )
            if sent:
                return sent[0]
            contact_id = await self.standing.holder(account_id, linked.address_key) or ""
        contact = await self.contacts.contact(account_id, contact_id)
        if contact is not None:
            return contact
        copies = await self.routing.copies_of(account_id, contact_id)
        return copies[0] if copies else None

    async def _linked(self, purpose: Purpose, token: str) -> Linked | None:
        """What a link is about. Of a person that was erased it is none of ours: it must not bring anything back."""
        linked = self.links.read(purpose, token)
        if linked is None:
            return None
        about = linked.account_id, linked.channel, linked.address_key, linked.contact_id
        return linked if await self.standing.is_held(*about) else None

    async def _unsubscribable(self, token: str) -> Linked | None:
        linked = await self._linked(Purpose.UNSUBSCRIBE, token)
        # The operator may have changed its mind since the link was made.
        return linked if linked is not None and linked.message_type in self.rules.can_be_unwanted else None

    async def _said(self, linked: Linked) -> Preference | None:
        return await self.standing.preference(linked.account_id, linked.channel, linked.address_key, linked.contact_id)

    async def _all_said(self, linked: Linked) -> Said:
        by_contact = await self.standing.known_of(linked.account_id, [], [linked.contact_id])
        place = linked.channel, linked.address_key
        return Said(
            own=await self._said(linked),
            address=await self._said(replace(linked, contact_id="")),
            elsewhere=[
                each
                for each in (*by_contact.preferences, *by_contact.elsewhere)
                if each.contact_id == linked.contact_id and (each.channel, each.address_key) != place
            ],
        )

    async def _organisation(self, account_id: str) -> str:
        directory = await self.directories.directory(account_id)
        return directory.account_name if directory else ""

    async def _unsubscribe_view(self, linked: Linked) -> UnsubscribeView:
        place = linked.channel, linked.address_key
        known = await self.standing.known_of(linked.account_id, [place], [])
        kind = linked.message_type or MessageType.ACTIVITY_MESSAGE
        by = {each.contact_id for each in known.preferences if kind in each.unwanted}
        return UnsubscribeView(
            organisation=await self._organisation(linked.account_id),
            masked_address=masked(linked.channel, linked.address_key),
            message_type=kind,
            unsubscribed="" in by,
            unwanted_by_contact=bool(by - {""}),
        )

    async def _view(self, linked: Linked) -> View:
        account_id = linked.account_id
        contact = await self.contacts.contact(account_id, linked.contact_id)
        copies = await self.routing.copies_of(account_id, linked.contact_id)
        place = linked.channel, linked.address_key
        known = await self.standing.known_of(account_id, [place], [])
        said = await self._all_said(linked)
        here = [each for each in known.preferences if (each.channel, each.address_key) == place]
        # What the contact said at an address that it does not have any more goes on for it.
        here += [each for each in (said.own, *said.elsewhere) if each is not None and each not in here]
        wish = await self.standing.open_hand_over(account_id, linked.contact_id)
        return View(
            organisation=await self._organisation(account_id),
            masked_address=masked(*place),
            contact_name=contact.name.text if contact else (copies[0].name.text if copies else ""),
            reasons=await self._reasons(account_id, contact, copies),
            types=[(kind, self._wanted(kind, linked, here)) for kind in _types_of(contact, copies, here)],
            quiet=said.quiet,
            language=said.language,
            open_wish=wish.wish if wish else "",
        )

    def _wanted(self, kind: MessageType, linked: Linked, said: Iterable[Preference]) -> Wanted:
        if kind not in self.rules.can_be_unwanted:
            return Wanted.ALWAYS
        by = {each.contact_id for each in said if kind in each.unwanted}
        if by - {"", linked.contact_id}:
            return Wanted.NO_FOR_OTHERS
        return Wanted.NO if by else Wanted.YES

    async def _reasons(
        self, account_id: str, contact: Contact | None, copies: Sequence[DetachedContact]
    ) -> Sequence[NamedReason]:
        directory = await self.directories.directory(account_id)
        bound = [binding.node_id for binding in contact.bindings] if contact and not contact.deleting else []
        kept = [node_id for copy in copies for node_id in copy.node_ids]
        found: list[NamedReason] = []
        for node_id, retained in [(each, False) for each in bound] + [(each, True) for each in kept]:
            if len(found) == _REASONS_LISTED:
                break
            because = Because.OWN if node_id.isdigit() else Because.FOLDER
            name = ""
            if directory is not None and node_id == directory.directory_id:
                because, name = Because.DIRECTORY, directory.account_name
            elif node_id.isdigit():
                name = (await self.routing.display_names(account_id, [node_id])).get(node_id, "")
            else:
                folder = await self.directories.folder(account_id, node_id)
                name = folder.name if folder else ""
            found.append(NamedReason(Reason(Because.RETAINED if retained else because, node_id), name))
        return found


def _types_of(
    contact: Contact | None, copies: Sequence[DetachedContact], said: Sequence[Preference]
) -> Sequence[MessageType]:
    """Types that matter to somebody: those it has, and those of which something was said."""
    types = set(contact.message_types) if contact else set()
    for copy in copies:
        types.update(copy.message_types)
    for each in said:
        types |= each.unwanted
    return [kind for kind in MessageType if kind in types]
