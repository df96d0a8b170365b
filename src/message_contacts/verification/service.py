"""What the person who got a verification message can do: look, confirm, say "this was not me", take that back.

Looking changes nothing. Answers never tell whether an address exists to somebody who has not got its message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from message_contacts.changes import Cause, Change, Decision, Settler
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import Channel, ContactRules, EmailAddress, PhoneNumber
from message_contacts.contacts.store import ContactStore
from message_contacts.directory.store import DirectoryStore
from message_contacts.errors import ApiError
from message_contacts.verification import challenge, limits
from message_contacts.verification.challenge import Case, PageState, Visitor
from message_contacts.verification.model import VerificationRules, VerificationState, Way
from message_contacts.verification.store import VerificationStore
from message_contacts.verification.tokens import Tokens, read_reference

#: Changes elsewhere that go along with the confirmation of an address: account, channel, address as compared.
Along = Callable[[str, Channel, str], Awaitable[tuple[Change, ...]]]


async def nothing_along(_account_id: str, _channel: Channel, _address_key: str) -> tuple[Change, ...]:
    """Nothing goes along."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page shows. The fields beside `state` are empty for strangers."""

    state: PageState
    #: Who asks: name of the management account.
    organisation: str = ""
    contact_name: str = ""
    channel: Channel | None = None
    masked_address: str = ""
    valid_until: Instant | None = None
    confirmed_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationService:
    """The recipient's side of verifications."""

    verifications: VerificationStore
    contacts: ContactStore
    directories: DirectoryStore
    tokens: Tokens
    settler: Settler
    clock: Clock
    contact_rules: ContactRules
    rules: VerificationRules
    along: Along = nothing_along

    async def look(self, token: str) -> View:
        """What this link is worth now."""
        read = self.tokens.read(token)
        if read is None:
            return View(state=PageState.UNKNOWN)
        verification_id, generation = read
        case = await self._case(verification_id)
        found = challenge.state(case, generation, now=self.clock.now(), contact_rules=self.contact_rules)
        return await self._view(case, found)

    async def confirm(self, token: str, visitor: Visitor) -> View:
        """The button: put the address in force."""
        return await self._act(
            token,
            lambda case, generation: challenge.confirm(
                case, generation, Way.LINK, visitor, now=self.clock.now(), contact_rules=self.contact_rules
            ),
            cause=_cause("confirm", visitor),
        )

    async def refuse(self, token: str, visitor: Visitor) -> View:
        """ "This was not me": stop further verification messages of this account to this address."""
        return await self._act(
            token,
            lambda case, _generation: challenge.refuse(case, visitor, now=self.clock.now()),
            cause=_cause("refuse", visitor),
        )

    async def take_back(self, token: str, visitor: Visitor) -> View:
        """Undo `refuse`."""
        return await self._act(
            token,
            lambda case, generation: challenge.take_back(
                case, generation, now=self.clock.now(), contact_rules=self.contact_rules
            ),
            cause=_cause("take-back", visitor),
        )

    async def confirm_by_code(self, reference: str, code: str, visitor: Visitor) -> View:
        """Reference and code, typed: put the address in force.

        Whoever does not know the code learns nothing: an unknown reference, a wrong code and too many wrong codes
        are one answer.
        """
        verification_id = read_reference(reference)

        def decide(case: Case) -> Decision[PageState]:
            verification = case.verification
            if verification is None or not challenge.may_try_code(case, self.rules):
                return Decision((), PageState.CODE_REFUSED)
            if not self.tokens.is_code(code.strip(), verification.verification_id, verification.generation):
                return challenge.count_wrong_code(verification, self.rules, now=self.clock.now())
            return challenge.confirm(
                case,
                verification.generation,
                Way.CODE,
                visitor,
                now=self.clock.now(),
                contact_rules=self.contact_rules,
            )

        try:
            found = await self.settler.settle(
                lambda: self._case(verification_id), decide, cause=_cause("code", visitor)
            )
        except ApiError as refusal:
            if refusal.definition is not challenge.TOO_MANY:
                raise
            found = PageState.CODE_REFUSED  # another message to the same address used up the day's tries just now
        if found is PageState.CODE_REFUSED:
            return View(state=found)
        return await self._view(await self._case(verification_id), found)

    async def _act(self, token: str, decide: Callable[[Case, int], Decision[PageState]], *, cause: Cause) -> View:
        read = self.tokens.read(token)
        if read is None:
            return View(state=PageState.UNKNOWN)
        verification_id, generation = read
        found = await self.settler.settle(
            lambda: self._case(verification_id), lambda case: decide(case, generation), cause=cause
        )
        return await self._view(await self._case(verification_id), found)

    async def _case(self, verification_id: str) -> Case:
        verification = await self.verifications.verification(verification_id)
        if verification is None:
            return Case(verification=None, contact=None, block=None)
        account_id = verification.account_id
        return Case(
            verification=verification,
            contact=await self.contacts.contact(account_id, verification.contact_id),
            block=await self.verifications.block(account_id, verification.channel, limits.address_key(verification)),
            along=await self.along(account_id, verification.channel, limits.address_key(verification)),
            wrong_codes_today=await self.verifications.count(
                account_id, limits.wrong_codes_counter(verification), limits.day(self.clock.now())
            ),
        )

    async def _view(self, case: Case, found: PageState) -> View:
        verification = case.verification
        if verification is None or found is PageState.UNKNOWN:
            return View(state=PageState.UNKNOWN)
        directory = await self.directories.directory(verification.account_id)
        is_email = verification.channel is Channel.EMAIL
        address = EmailAddress(verification.address) if is_email else PhoneNumber(verification.address)
        confirmed_at = None
        if verification.state is VerificationState.CONFIRMED:
            confirmed_at = await self.verifications.confirmed_at(verification.account_id, verification.verification_id)
        return View(
            state=found,
            organisation=directory.account_name if directory else "",
            contact_name=case.contact.name.text if case.contact else "",
            channel=verification.channel,
            masked_address=address.masked(),
            valid_until=verification.expires_at,
            confirmed_at=confirmed_at,
        )


def _cause(act: str, visitor: Visitor) -> Cause:
    """What the audit trail says of a person at the page."""
    return Cause(operation=f"page:{act}", visitor_address=visitor.source_address)
