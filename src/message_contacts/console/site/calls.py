"""Carrying out operations for somebody at the console: directly, with the rights of the session's key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from message_contacts import errors
from message_contacts.access.key_uses import KeyUses
from message_contacts.access.model import Caller
from message_contacts.access.throttle import Throttle
from message_contacts.clock import Clock
from message_contacts.errors import ApiError
from message_contacts.ids import Ids
from message_contacts.metrics import Metrics
from message_contacts.operations.invoke import Invoker
from message_contacts.operations.registry import (
    MESSAGE_CONTACTS,
    RAM,
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    STS,
    Registry,
)
from message_contacts.protocol.parameters import Arguments, flattened

log = structlog.get_logger(__name__)

#: Which version is meant where none is named: the first one that has the operation.
PREFERRED = (RESOURCE_DIRECTORY_MASTER, MESSAGE_CONTACTS, RAM, STS, RESOURCE_MANAGER)

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a call: an answer, or a refusal."""

    request_id: str
    #: Fields of the answer, RequestId aside; None when it was refused.
    fields: Mapping[str, Any] | None
    refusal: ApiError | None
    #: Milliseconds it took.
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls operations as a signed request would, without a signature."""

    registry: Registry
    invoker: Invoker
    clock: Clock
    ids: Ids
    #: Notes when keys are used; None: nobody asks.
    uses: KeyUses | None = None
    #: Refuses calls beyond so many a second; None: there is no limit.
    throttle: Throttle | None = None
    #: Counts calls; None: nobody asks.
    metrics: Metrics | None = None

    def version_of(self, operation: str) -> str:
        """The version that is meant where none is named. Raises: INVALID_ACTION_NOT_FOUND."""
        names = {(version, entry.name) for version, entry in self.registry.all()}
        for version in PREFERRED:
            if (version, operation) in names:
                return version
        raise errors.INVALID_ACTION_NOT_FOUND()

    async def answer(
        self,
        caller: Caller,
        operation: str,
        given: Given,
        *,
        version: str,
        source_address: str,
        secure: bool,
        is_limited: bool = False,
    ) -> Answered:
        """Carry out one operation; what it is refused with comes back as a value. Bugs surface.

        Args:
            given: By parameter: text, numbers, truth, lists of texts, lists of mappings. None and empty lists are left
                out; empty text counts as absent, except where a parameter says that empty means something.
            is_limited: Whether it counts towards the calls a second: the visitor chose it, not one of our pages.
        """
        entry = self.registry.find(version, operation)
        request_id = self.ids.request()
        if self.uses is not None:
            self.uses.seen[caller.access_key_id] = self.clock.now()
        started = time.perf_counter()
        fields: Mapping[str, Any] | None = None
        refusal: ApiError | None = None
        try:
            if is_limited and self.throttle is not None:
                self.throttle.admit(caller, self.clock.monotonic())
            fields = await self.invoker.invoke(
                entry,
                Arguments(flattened(given)),
                caller,
                request_id=request_id,
                nonce=None,
                source_address=source_address,
                secure=secure,
            )
        except ApiError as error:
            refusal = error
        seconds = time.perf_counter() - started
        code = "OK" if refusal is None else refusal.definition.code
        if self.metrics is not None:
            self.metrics.request(operation, code, seconds)
        log.info(
            "console_called",
            operation=operation,
            access_key_id=caller.access_key_id,
            account_id=caller.account_id,
            code=code,
            duration_ms=round(seconds * 1_000, 3),
            request_id=request_id,
            source=source_address,
        )
        return Answered(request_id=request_id, fields=fields, refusal=refusal, took=seconds * 1_000)
