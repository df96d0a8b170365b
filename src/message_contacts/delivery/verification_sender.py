"""Sending a verification message: derive link and code, word it, hand it to the channel's transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from message_contacts.changes import Job
from message_contacts.clock import Clock
from message_contacts.contacts.model import Channel, Contact, ContactRules
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Transport, Verdict
from message_contacts.directory.store import DirectoryStore
from message_contacts.verification import challenge, limits
from message_contacts.verification.challenge import Case, PageState
from message_contacts.verification.model import Verification
from message_contacts.verification.store import VerificationStore
from message_contacts.verification.texts.verification_texts import Request, VerificationTexts
from message_contacts.verification.tokens import Tokens

#: Why there is nothing to send any more; states that are not listed mean that the message is still wanted.
NOT_WANTED = {
    PageState.ALREADY_CONFIRMED: "superseded",
    PageState.BLOCKED: "blocked",
    PageState.EXPIRED: "expired",
    PageState.REPLACED: "superseded",
    PageState.SUPERSEDED: "superseded",
    PageState.UNKNOWN: "superseded",
}
#: Reason of a message that was asked for while the channel was captured: it must never reach anybody later.
CAPTURED_BEFORE = "captured-before"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSender:
    """Does jobs of kind `send-verification`."""

    verifications: VerificationStore
    contacts: ContactStore
    directories: DirectoryStore
    tokens: Tokens
    texts: Callable[[], VerificationTexts]
    transports: Mapping[Channel, Transport]
    contact_rules: ContactRules
    clock: Clock
    #: Where recipients reach this server, without a slash at the end.
    public_url: str

    async def __call__(self, job: Job) -> Outcome:
        """Send the message unless it is not wanted any more. A retry has the same link, code and message id."""
        verification_id, generation = str(job.payload["verification_id"]), int(job.payload["generation"])
        verification = await self.verifications.verification(verification_id)
        if verification is None:
            return Outcome(Verdict.ACCEPTED, "superseded")
        transport = self.transports[verification.channel]
        if job.payload.get("captured") and not transport.captures:
            return Outcome(Verdict.ACCEPTED, CAPTURED_BEFORE)
        account_id = verification.account_id
        contact = await self.contacts.contact(account_id, verification.contact_id)
        case = Case(
            verification=verification,
            contact=contact,
            block=await self.verifications.block(account_id, verification.channel, limits.address_key(verification)),
        )
        found = challenge.state(case, generation, now=self.clock.now(), contact_rules=self.contact_rules)
        if contact is None or found in NOT_WANTED:
            return Outcome(Verdict.ACCEPTED, NOT_WANTED.get(found, "superseded"))
        directory = await self.directories.directory(account_id)
        if directory is None:
            return Outcome(Verdict.ACCEPTED, "superseded")
        return await transport.send(self._message(job, verification, contact, directory.account_name))

    def _message(self, job: Job, verification: Verification, contact: Contact, organisation: str) -> OutgoingMessage:
        verification_id, generation = verification.verification_id, verification.generation
        page = f"{self.public_url.rstrip('/')}/verify/"
        request = Request(
            organisation=organisation,
            contact_name=contact.name.text,
            address=verification.address,
            message_types=contact.message_types,
            link=page + self.tokens.token(verification_id, generation),
            page=page,
            reference=verification_id,
            code=self.tokens.code(verification_id, generation),
            valid_until=verification.expires_at,
        )
        if verification.channel is Channel.EMAIL:
            mail = self.texts().mail(request)
            subject, text, html = mail.subject, mail.text, mail.html
        else:
            subject, text, html = "", self.texts().sms(request, now=self.clock.now()), None
        return OutgoingMessage(
            account_id=verification.account_id,
            channel=verification.channel,
            recipient=verification.address,
            # The job's id: the same for every try, another one for every time that it is asked for.
            message_id=job.job_id,
            subject=subject,
            text=text,
            html=html,
            verification_id=verification_id,
        )
