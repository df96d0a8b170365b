"""The call on a command line: the vendor's, this project's, and curl with nothing but openssl beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from message_contacts.console.site.samples.call import KEY_ID, KEY_SECRET, REGION, SampleCall
from message_contacts.console.site.samples.literals import shell_word
from message_contacts.operations.registry import MESSAGE_CONTACTS
from message_contacts.protocol.signature import EMPTY_PAYLOAD_HASH, V3_ALGORITHM, canonical_query
from message_contacts.protocol.signing import FORM

_WIDEST = 100
#: Characters of parameters that still go into the query; more of them travel as a form.
_LONGEST_QUERY = 6_000
_CREDENTIALS = f"Credential=${KEY_ID},SignedHeaders=$signed_headers,Signature=$signature"


def vendor(call: SampleCall) -> str:
    """The vendor's CLI.

    Raises: ValueError when a value cannot be given on a command line.
    """
    words = ["aliyun", call.product.lower(), call.action]
    if call.version == MESSAGE_CONTACTS:
        # A product that the CLI does not know.
        words += ["--force", "--version", call.version, "--method", "POST"]
    words += ["--endpoint", call.endpoint.authority, "--region", REGION]
    if call.endpoint.scheme == "http":
        words.append("--insecure")
    # It takes a list as JSON, and refuses the positions in which the other clients send it.
    given = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in call.arguments.items()
    }
    return _command(words, _options(given, joined=False))


def own(call: SampleCall) -> str:
    """This project's CLI.

    Raises: ValueError when a value cannot be given on a command line.
    """
    words = ["message-contacts", "api", call.action, "--endpoint", call.endpoint.url, "--version", call.version]
    return _command(words, _options(call.flat, joined=True))


def curl(call: SampleCall) -> str:
    """A bash script that signs with openssl and sends with curl."""
    text = canonical_query(call.flat)
    as_form = len(text) > _LONGEST_QUERY
    signed = {
        **({"content-type": FORM} if as_form else {}),
        "host": "$host",
        "x-acs-action": call.action,
        "x-acs-content-sha256": "$payload_hash",
        "x-acs-date": "$date",
        "x-acs-signature-nonce": "$nonce",
        "x-acs-version": call.version,
    }
    names = ";".join(signed)
    lines = [
        "#!/usr/bin/env bash",
        "set -euo pipefail",
        "",
        f': "${{{KEY_ID}:?is not set}}" "${{{KEY_SECRET}:?is not set}}"',
        f"host={shell_word(call.endpoint.authority)}",
        # Percent-encoded, so that a single quote cannot occur in it.
        f"query='{'' if as_form else text}'",
        *([f"form='{text}'"] if as_form else []),
        "date=$(date -u +%Y-%m-%dT%H:%M:%SZ)",
        "nonce=$(openssl rand -hex 16)",
        "payload_hash=$(printf '%s' \"$form\" | openssl dgst -sha256 -r | cut -d' ' -f1)"
        if as_form
        else f"payload_hash={EMPTY_PAYLOAD_HASH}",
        f"signed_headers='{names}'",
        'canonical_request="POST',
        "/",
        "$query",
        *(f"{name}:{value}" for name, value in signed.items()),
        "",
        "$signed_headers",
        '$payload_hash"',
        "request_hash=$(printf '%s' \"$canonical_request\" | openssl dgst -sha256 -r | cut -d' ' -f1)",
        f"signature=$(printf '{V3_ALGORITHM}\\n%s' \"$request_hash\" \\",
        f"  | openssl dgst -sha256 -r -hmac \"${KEY_SECRET}\" | cut -d' ' -f1)",
        "",
        # A form can be longer than a word of a command line may be.
        ("printf '%s' \"$form\" | " if as_form else "") + "curl --silent --show-error --request POST \\",
        *(f'  --header "{name}: {value}" \\' for name, value in signed.items()),
        f'  --header "authorization: {V3_ALGORITHM} {_CREDENTIALS}" \\',
        '  --header "accept: application/json" \\',
        *(["  --data-binary @- \\"] if as_form else []),
        f'  "{call.endpoint.scheme}://$host/{"" if as_form else "?$query"}"',
    ]
    return "\n".join(lines) + "\n"


def _options(given: Mapping[str, str], *, joined: bool) -> Iterator[str]:
    for name, text in given.items():
        # With `=` a value may begin with a hyphen. The vendor's CLI takes an empty one as a word of its own only.
        yield f"--{name}={shell_word(text) if text else ''}" if text or joined else f"--{name} ''"


def _command(words: Sequence[str], options: Iterator[str]) -> str:
    """One line while it fits; then an option a line."""
    first = " ".join(shell_word(word) for word in words)
    rest = list(options)
    line = " ".join([first, *rest])
    if len(line) <= _WIDEST and "\n" not in line:
        return line + "\n"
    return " \\\n  ".join([first, *rest]) + "\n"
