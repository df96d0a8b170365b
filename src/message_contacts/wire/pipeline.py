"""One request from bytes to bytes: read, identify, authenticate, refuse replays, invoke, render, log.

The order of checks is contract/protocol.md section 7. No stage reaches back to an earlier one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from message_contacts import errors
from message_contacts.access.key_uses import KeyUses
from message_contacts.access.keys import KeyRing, KnownKey
from message_contacts.access.model import Caller
from message_contacts.access.store import AccessStore
from message_contacts.access.throttle import Throttle
from message_contacts.audit.resources import kept
from message_contacts.changes import Nonce
from message_contacts.clock import Clock, Instant
from message_contacts.errors import ApiError
from message_contacts.ids import Ids
from message_contacts.metrics import Metrics
from message_contacts.operations.invoke import Invoker
from message_contacts.operations.registry import PRODUCTS, RESOURCE_DIRECTORY_MASTER, Access, Operation, Registry
from message_contacts.protocol.parameters import Arguments
from message_contacts.quick import quickly_made
from message_contacts.wire import rendering
from message_contacts.wire.authentication import ACCESS_KEY_ID, WINDOW, Claims, check_signature, check_time, claims_of
from message_contacts.wire.reading import Format, RawHeaders, Request, Scheme, admit, read, with_body
from message_contacts.wire.rendering import ErrorPage, Response
from message_contacts.wire.replay import NonceMemory, nonce_digest

# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_READ = Access.READ
_V3 = Scheme.V3


@quickly_made
@dataclass(frozen=True, slots=True)
class Named:
    """What a request asks for."""

    version: str
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Answers signed requests, whatever brought them."""

    registry: Registry
    invoker: Invoker
    keys: KeyRing
    #: Knows the nonces of committed changes.
    access: AccessStore
    clock: Clock
    ids: Ids
    nonces: NonceMemory
    error_page: ErrorPage = field(default_factory=ErrorPage)
    #: Notes when keys are used; None: nobody asks.
    uses: KeyUses | None = None
    #: Refuses calls beyond so many a second; None: there is no limit.
    throttle: Throttle | None = None
    #: Counts calls; None: nobody asks.
    metrics: Metrics | None = None
    #: Whether requests that did not come over TLS are refused.
    needs_tls: bool = False
    #: Bound once: finding it anew for each line would cost as much as writing the line.
    log: Any = field(default_factory=lambda: structlog.get_logger(__name__).bind(), repr=False)

    async def handle(
        self,
        method: str,
        target: str,
        headers: RawHeaders,
        body: bytes,
        peer: str,
        *,
        secure: bool,
    ) -> Response:
        """Answer one request. Every outcome is an answer; only cancellation leaves this coroutine.

        Args:
            method: In capitals.
            target: Path and query as sent, one character for each byte (Latin-1).
            peer: IP address the request came from.
            secure: Whether it came over TLS.
        """
        started = time.perf_counter()
        request_id = self.ids.request()
        request: Request | None = None
        named: Named | None = None
        key: KnownKey | None = None
        caller: Caller | None = None
        code = "OK"
        try:
            request = read(
                request_id, method=method, target=target, raw_headers=headers, body=body, peer=peer, secure=secure
            )
            admit(request, needs_tls=self.needs_tls)
            named = identify(request, self.registry)
            claims = claims_of(request)
            now = self.clock.now()
            check_time(claims, now)
            key = await self._known_key(claims)
            caller = authenticate(request, claims, key)
            request = with_body(request)
            if self.uses is not None:
                self.uses.seen[key.access_key_id] = now
            nonce = await self._fresh_nonce(caller, claims, named.operation)
            if self.throttle is not None:
                self.throttle.admit(caller, self.clock.monotonic())
            fields = await self.invoker.invoke(
                named.operation,
                Arguments(request.parameters),
                caller,
                request_id=request_id,
                nonce=nonce,
                source_address=peer,
                secure=secure,
                directory=key.directory,
            )
            response = rendering.answer(
                named.operation.name, fields, request_id=request_id, answer_format=request.format
            )
        except ApiError as refusal:
            code = refusal.definition.code
            response = self._refused(refusal, request_id, request, named)
            self.log.debug("request_refused", request_id=request_id, code=code, context=_logged(refusal.context))
        except Exception:
            code = errors.INTERNAL_ERROR.code
            response = self._refused(errors.INTERNAL_ERROR(), request_id, request, named)
            self.log.exception("request_failed", request_id=request_id)
        seconds = time.perf_counter() - started
        if self.metrics is not None:
            self.metrics.request(None if named is None else named.operation.name, code, seconds)
            if caller is None:
                self.metrics.refused_unauthenticated(code)
        self.log.info(
            "request_handled",
            operation=None if named is None else named.operation.name,
            access_key_id=None if key is None else key.access_key_id,
            account_id=None if key is None else key.account_id,
            code=code,
            status=response.status,
            duration_ms=round(seconds * 1_000, 3),
            request_id=request_id,
            source=peer,
        )
        return response

    async def _known_key(self, claims: Claims) -> KnownKey:
        key = await self.keys.find(claims.access_key_id) if ACCESS_KEY_ID.fullmatch(claims.access_key_id) else None
        if key is None:
            raise errors.INVALID_ACCESS_KEY_ID_NOT_FOUND()
        return key

    async def _fresh_nonce(self, caller: Caller, claims: Claims, operation: Operation) -> Nonce | None:
        """Refuse a nonce that this key used before. For a changing operation also what its commit has to store."""
        digest = nonce_digest(caller, claims.nonce)
        if not self.nonces.first_sight(digest):
            raise errors.SIGNATURE_NONCE_USED()
        if operation.access is _READ:
            return None
        # Before the operation's own checks, so that a repeated change is told the truth and not "name already used".
        # Two at the same time both pass here; the commit lets one of them win.
        if await self.access.nonce_used(digest):
            raise errors.SIGNATURE_NONCE_USED()
        return Nonce(digest, Instant(claims.signed_at + WINDOW + 1))  # the window's last millisecond still counts

    def _refused(self, refusal: ApiError, request_id: str, request: Request | None, named: Named | None) -> Response:
        return self.error_page.refuse(
            refusal,
            request_id=request_id,
            host="" if request is None else request.host,
            answer_format=Format.JSON if request is None else request.format,
            product=PRODUCTS[RESOURCE_DIRECTORY_MASTER if named is None else named.version],
        )


def _logged(context: Mapping[str, object]) -> dict[str, object]:
    """What was refused, without a caller's own text: a resource is named by parameters that nobody has checked yet."""
    return {name: kept(str(value)) if name == "resource" else value for name, value in context.items()}


def identify(request: Request, registry: Registry) -> Named:
    """Which operation of which version is meant.

    Raises: MissingAction, MissingVersion, INVALID_VERSION, INVALID_ACTION_NOT_FOUND.
    """
    action = _named_by(request, "Action", b"x-acs-action")
    version = _named_by(request, "Version", b"x-acs-version")
    return Named(version, registry.find(version, action))


def _named_by(request: Request, parameter: str, header: bytes) -> str:
    if request.scheme is _V3:
        value = request.header(header)
    else:
        given = request.parameters.get(parameter, "")
        value = given if isinstance(given, str) else ""
        # A header is not covered by an RPC signature. It counts only where there is none: such a request is refused
        # anyway, and is told that it lacks a key instead of that it lacks a name.
        if not value and "Signature" not in request.parameters:
            value = request.header(header)
    if not value:
        raise errors.missing(parameter)()
    return value


def authenticate(request: Request, claims: Claims, key: KnownKey) -> Caller:
    """Who signed the request.

    Raises: INVALID_ACCESS_KEY_ID_INACTIVE, INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY, SIGNATURE_DOES_NOT_MATCH.
    """
    if not key.is_active:
        raise errors.INVALID_ACCESS_KEY_ID_INACTIVE()
    if claims.security_token:  # all keys here are permanent ones
        raise errors.INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY()
    check_signature(request, claims, key)
    return Caller(key.account_id, key.access_key_id, key.user_id)
