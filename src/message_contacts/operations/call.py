"""One call being carried out: who calls, what the handlers work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import TypeVar

from message_contacts.access.diagnosis import Diagnoses
from message_contacts.access.grants import GrantStore
from message_contacts.access.key_uses import KeyUseStore
from message_contacts.access.keys import Vault
from message_contacts.access.model import Caller
from message_contacts.access.ram_store import RamStore
from message_contacts.access.store import AccessStore
from message_contacts.audit.store import AuditStore
from message_contacts.changes import Cause, Decision, Nonce, Settler
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import ContactRules
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.circumstances import Standing
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.message_wording import MessageWording
from message_contacts.delivery.messages import DeliveryRules
from message_contacts.delivery.outbox import Inbox, Outbox
from message_contacts.delivery.recipient_search import RecipientSearch
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.trials import Trials
from message_contacts.directory.model import DirectoryRules, ResourceDirectory
from message_contacts.directory.store import DirectoryStore
from message_contacts.ids import Ids
from message_contacts.privacy.store import PersonStore
from message_contacts.quick import quickly_made
from message_contacts.verification.model import VerificationRules
from message_contacts.verification.store import VerificationStore
from message_contacts.verification.tokens import Tokens
from message_contacts.webhooks.model import WebhookRules
from message_contacts.webhooks.sealing import EndpointSeal
from message_contacts.webhooks.store import WebhookStore

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator set about the rules."""

    contacts: ContactRules = field(default_factory=ContactRules)
    directory: DirectoryRules = field(default_factory=DirectoryRules)
    verification: VerificationRules = field(default_factory=VerificationRules)
    delivery: DeliveryRules = field(default_factory=DeliveryRules)
    webhooks: WebhookRules = field(default_factory=WebhookRules)
    #: What settings say about who is reached.
    circumstances: Circumstances = field(default_factory=Circumstances)
    #: For how long audit events are kept, in milliseconds; None: for ever.
    audit_kept: int | None = None
    #: Zone of the dates of contacts on the wire, which carry none.
    contact_dates: timezone = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What handlers work with; made by `bootstrap`."""

    contacts: ContactStore
    directory: DirectoryStore
    verification: VerificationStore
    access: AccessStore
    ram: RamStore
    grants: GrantStore
    key_uses: KeyUseStore
    vault: Vault
    diagnoses: Diagnoses
    outbox: Outbox
    inbox: Inbox
    audit: AuditStore
    people: PersonStore
    routing: RoutingStore
    messages: MessageStore
    #: What decides about addresses beside their contacts: settings, suspensions, preferences.
    standing: Standing
    webhooks: WebhookStore
    #: Finds who gets a message, for dry runs.
    search: RecipientSearch
    #: Words messages, for previews.
    wording: MessageWording
    #: Sends test messages.
    trials: Trials
    #: Makes and knows the codes of fallback addresses.
    fallback_codes: Tokens
    #: Makes and knows the codes of webhooks.
    webhook_codes: Tokens
    #: Closes and opens the endpoints of webhooks.
    endpoint_seal: EndpointSeal
    settler: Settler
    clock: Clock
    ids: Ids
    rules: Rules


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call whose caller is proven and allowed, and whose parameters are checked."""

    services: Services
    caller: Caller
    #: Name of the operation that was called.
    operation: str
    request_id: str
    now: Instant
    #: The caller's directory; None only where an operation does not need one.
    enabled_directory: ResourceDirectory | None
    #: Stored with the change this call makes; None for calls that change nothing.
    nonce: Nonce | None
    #: IP address the call came from.
    source_address: str

    @property
    def account_id(self) -> str:
        """The caller's account: the tenant."""
        return self.caller.account_id

    @property
    def directory(self) -> ResourceDirectory:
        """The caller's directory, in operations that need one."""
        if self.enabled_directory is None:
            raise RuntimeError("an operation that does not need a directory asked for it")
        return self.enabled_directory

    @property
    def rules(self) -> Rules:
        """What the operator set."""
        return self.services.rules

    @property
    def ids(self) -> Ids:
        """Fresh identifiers."""
        return self.services.ids

    async def change(self, read: Callable[[], Awaitable[S]], decide: Callable[[S], Decision[T]]) -> T:
        """Read, decide, commit, and again when the ground moved: `changes.Settler.settle` in this call's name."""
        caller = self.caller
        cause = Cause(
            operation=self.operation,
            access_key_id=caller.access_key_id,
            user_id=caller.user_id or "",
            source_address=self.source_address,
            request_id=self.request_id,
        )
        return await self.services.settler.settle(read, decide, cause=cause, nonce=self.nonce)
