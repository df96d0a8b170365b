"""Handing one delivery over: look whether it is still wanted, word it, give it to the channel's transport."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from message_contacts.access.keys import SealBrokenError
from message_contacts.changes import Cause, CountUp, Decision, Job, Settler
from message_contacts.clock import SECOND, Clock, Instant
from message_contacts.contacts.model import Channel, Contact
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.bounces import Bounces
from message_contacts.delivery.candidates import Because, Candidate, Reason, contact_candidates, copy_candidates
from message_contacts.delivery.circumstances import Standing
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.message_wording import MessageWording
from message_contacts.delivery.messages import (
    ADDRESS_GONE,
    CANCELLED,
    CAPTURED_BEFORE,
    DAILY_LIMIT,
    EXPIRED,
    WAITING,
    Delivery,
    DeliveryRules,
    DeliveryState,
    Message,
    MessageState,
    Named,
    Route,
)
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Transport, Verdict
from message_contacts.delivery.rules import Asked, Circumstances, Word, judge
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.delivery.texts.bodies import takes_long
from message_contacts.delivery.texts.message_texts import MessageTexts, Worded
from message_contacts.delivery.unnamed import UnnamedContacts
from message_contacts.delivery.webhook_posts import UNREADABLE, WebhookPosts
from message_contacts.directory.store import DirectoryStore
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.verification import limits

log = structlog.get_logger()

#: Messages that are kept as worded.
_WORDED_KEPT = 64
#: Counter of a tenant's text messages of a day.
TEXT_MESSAGES = "text messages"

#: Never reaches a caller: says to the sender that the day's text messages are used up.
_USED_UP = ErrorDefinition(409, "LimitExceeded.TextMessages", "The text messages of the day are used up.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySender:
    """Does jobs of kind `deliver`. A try that is repeated sends the same mail, with the same Message-ID."""

    messages: MessageStore
    contacts: ContactStore
    routing: RoutingStore
    directories: DirectoryStore
    settler: Settler
    standing: Standing
    bounces: Bounces
    webhooks: WebhookPosts
    transports: Mapping[Channel, Transport]
    rules: DeliveryRules
    clock: Clock
    tally: Tally
    wording: MessageWording
    #: Asked when nobody whom a delivery names still wants it, and it has more contacts than it names.
    unnamed: UnnamedContacts
    #: Messages as worded, by language, those used last.
    _worded: OrderedDict[tuple[str, str], tuple[Message, dict[str, Worded]]] = field(default_factory=OrderedDict)
    _wording_large: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, job: Job) -> Outcome:
        """Try once. What comes of it is recorded with the end of the job."""
        errand = await self.messages.errand(job.account_id, str(job.payload["delivery_id"]))
        if errand is None:
            return Outcome(Verdict.ACCEPTED, "gone", nothing_new=True)
        delivery = errand.delivery
        # FAILED: given up, and asked for again by the operator.
        if delivery.state not in (*WAITING, DeliveryState.FAILED):
            return Outcome(Verdict.ACCEPTED, delivery.state.value, becomes=delivery.state, nothing_new=True)
        if errand.message_state is MessageState.CANCELLED:
            return _ended(DeliveryState.EXPIRED, CANCELLED)
        if errand.expires_at is not None and self.clock.now() >= errand.expires_at:
            return _ended(DeliveryState.EXPIRED, EXPIRED)
        transport = self.transports[delivery.channel]
        if job.payload.get("captured") and not transport.captures:
            return _ended(DeliveryState.SKIPPED, CAPTURED_BEFORE)
        message = await self._message(delivery)
        place = self.standing.nothing_known
        if errand.anything_known:
            contact_ids = list(dict.fromkeys(each.contact_id for each in delivery.contacts))
            place = await self.standing.at(delivery.account_id, (delivery.channel, delivery.address_key), contact_ids)
        named, word = await self._still_wanted(message, delivery, place.circumstances)
        if word == Word.QUIET_HOURS:
            wait = self._until(place.circumstances.quiet_until)
            return Outcome(Verdict.TRY_AGAIN, word, retry_after=wait, not_after=errand.expires_at)
        if not named:
            return _ended(DeliveryState.SKIPPED, word)
        # What was handed over before is counted already.
        fresh = all(each.reply == Word.QUIET_HOURS for each in delivery.tries)
        if delivery.channel is Channel.SMS and fresh and not await self._count(delivery):
            return _ended(DeliveryState.SKIPPED, DAILY_LIMIT)
        texts, worded = await self._words(message, place.language(each.contact_id for each in named))
        try:
            outgoing = (
                await self.webhooks.outgoing(message, delivery, worded.organisation, job.job_id)
                if delivery.channel is Channel.WEBHOOK
                else self._outgoing(job, message, delivery, named, (texts, worded))
            )
        except SealBrokenError:
            return replace(UNREADABLE, not_after=errand.expires_at)
        if outgoing is None:
            return _ended(DeliveryState.SKIPPED, ADDRESS_GONE)
        outcome = await transport.send(outgoing)
        await self.bounces.answered(delivery, outcome)
        return outcome if errand.expires_at is None else replace(outcome, not_after=errand.expires_at)

    def _until(self, moment: Instant | None) -> float:
        """Seconds from now; a quarter of an hour when it is not known."""
        return 900.0 if moment is None else max((moment - self.clock.now()) / SECOND, 1.0)

    async def _message(self, delivery: Delivery) -> Message:
        """The delivery's message, which never changes."""
        key = delivery.account_id, delivery.message_id
        known = self._worded.get(key)
        if known is not None:
            self._worded.move_to_end(key)
            return known[0]
        message = await self.messages.message(*key)
        if message is None:
            raise LookupError(f"delivery {delivery.delivery_id} has no message")
        self._worded[key] = message, {}
        if len(self._worded) > _WORDED_KEPT:
            self._worded.popitem(last=False)
        return message

    async def _words(self, message: Message, language: str) -> tuple[MessageTexts, Worded]:
        """What of a message is the same for all who are addressed in a language."""
        texts = self.wording.texts_in(language)
        _, by_language = self._worded.get((message.account_id, message.message_id), (message, {}))
        if language not in by_language:
            directory = await self.directories.directory(message.account_id)
            name = "" if directory is None else directory.account_name
            if takes_long(message.html, message.markdown):
                # One at a time: whoever else is sent the same message finds it done.
                async with self._wording_large:
                    if language not in by_language:
                        by_language[language] = await asyncio.to_thread(texts.worded, message, name)
            else:
                by_language[language] = texts.worded(message, name)
        return texts, by_language[language]

    async def _still_wanted(
        self, message: Message, delivery: Delivery, circumstances: Circumstances
    ) -> tuple[list[Named], str]:
        """Those through whom the address still gets the message, or none and the word that stands against it.

        Since who gets it was worked out, the contact may have changed its address or been deleted: a message never goes
        to an address that is not in force when it leaves.
        """
        if delivery.route is Route.FALLBACK and not delivery.contacts[0].contact_id:
            fallback = await self.messages.fallback(delivery.account_id)
            captured = self.transports[Channel.EMAIL].captures
            if message.message_type in circumstances.suppressed.get((Channel.EMAIL, delivery.address_key), ()):
                return [], Word.SUPPRESSED
            if (
                fallback is not None
                and fallback.address.lower() == delivery.address_key
                and fallback.in_force(captured_counts=captured)
            ):
                return [delivery.contacts[0]], Word.PASSED
            return [], ADDRESS_GONE
        wanted: list[Named] = []
        against: str = ADDRESS_GONE
        words: dict[tuple[str, bool], Word | None] = {}
        for named in delivery.contacts:
            anyhow = named.word == Route.NOBODY_SUBSCRIBED
            if named.word != Word.PASSED and not anyhow:
                continue
            key = named.contact_id, anyhow
            if key not in words:
                asked = Asked(message_type=message.message_type, severity=message.severity, to_any_subscriber=anyhow)
                words[key] = await self._word(delivery, named, asked, circumstances)
            word = words[key]
            if word is Word.PASSED:
                wanted.append(named)
            elif word is not None and against != Word.QUIET_HOURS:  # that ends: whoever wants it then gets it
                against = word
        if wanted or against == Word.QUIET_HOURS or not _further(delivery) or delivery.channel is Channel.WEBHOOK:
            return wanted, against
        found, waits = await self.unnamed.wanted(message, delivery)
        return found, waits or against

    async def _word(self, delivery: Delivery, named: Named, asked: Asked, circumstances: Circumstances) -> Word | None:
        """What the rules say now of a contact at the delivery's address; None: that is not its address any more."""
        if not named.contact_id:
            return None
        reasons = [Reason(named.because or Because.OWN, named.node_id)]
        candidates: list[Candidate] = []
        contact: Contact | None = None
        if delivery.channel is Channel.WEBHOOK:
            candidates = await self.webhooks.candidates(delivery.account_id, named.contact_id, reasons)
        else:
            contact = await self.contacts.contact(delivery.account_id, named.contact_id)
        if contact is not None:
            candidates = contact_candidates(contact, reasons)
        elif delivery.channel is not Channel.WEBHOOK:
            # Deleted since; members may keep a copy.
            for copy in await self.routing.copies_of(delivery.account_id, named.contact_id):
                candidates += copy_candidates(copy, reasons)
        words = [
            judge(candidate, asked, circumstances)
            for candidate in candidates
            if candidate.channel is delivery.channel
            and candidate.address is not None
            and candidate.address.key == delivery.address_key
        ]
        return Word.PASSED if Word.PASSED in words else (words[0] if words else None)

    async def _count(self, delivery: Delivery) -> bool:
        """Count a text message against the tenant's day; False when that is used up."""
        now = self.clock.now()
        count = CountUp(delivery.account_id, TEXT_MESSAGES, limits.day(now), self.rules.text_messages_per_day, _USED_UP)
        try:
            await self.settler.settle(
                _nothing, lambda _: Decision((count,), None), cause=Cause(operation="worker:deliver")
            )
        except ApiError as refusal:
            if refusal.definition is not _USED_UP:
                raise
            self.tally.add(Happening.TEXT_MESSAGES_USED_UP)
            log.warning("text_messages_used_up", account_id=delivery.account_id, delivery_id=delivery.delivery_id)
            return False
        return True

    def _outgoing(
        self,
        job: Job,
        message: Message,
        delivery: Delivery,
        named: Sequence[Named],
        worded: tuple[MessageTexts, Worded],
    ) -> OutgoingMessage:
        subject, text = "", worded[1].sms
        html: str | None = None
        headers: tuple[tuple[str, str], ...] = ()
        if delivery.channel is Channel.EMAIL:
            # Those found anew are all there are, or as many as a mail names.
            further = _further(delivery) if named[0] in delivery.contacts else 0
            text, html, headers = self.wording.mail(worded, message, delivery.address_key, named, further)
            subject = message.subject
        return OutgoingMessage(
            account_id=delivery.account_id,
            channel=delivery.channel,
            recipient=delivery.address,
            # The job's id: the same for every try of a delivery.
            message_id=job.job_id,
            subject=subject,
            text=text,
            html=html,
            headers=headers,
            delivery_id=delivery.delivery_id,
            attempt=job.attempts + 1,
            return_path=self.bounces.return_path(delivery),
        )


def _further(delivery: Delivery) -> int:
    """Contacts that the delivery counts, and does not name."""
    return max(delivery.contact_count - len(delivery.contacts), 0)


def _ended(state: DeliveryState, reason: str) -> Outcome:
    return Outcome(Verdict.ACCEPTED, reason, becomes=state)


async def _nothing() -> None:
    """Nothing has to be read to count."""
