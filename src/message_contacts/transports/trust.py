"""Whose certificates are believed when a server of the operator's is spoken to."""

from __future__ import annotations

import ssl
from pathlib import Path


def tls_context(ca_file: str | None, server: str) -> ssl.SSLContext:
    """How a server's certificate is checked.

    Args:
        ca_file: File with certificates to trust besides the system's own; None: the system's only.
        server: What kind of server it is, for the text of a refusal.
    Raises:
        ValueError: The file cannot be read or holds no certificates.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        if not Path(ca_file).is_file():
            raise ValueError(f"the certificates to trust for the {server} are not at {ca_file}")
        try:
            context.load_verify_locations(cafile=ca_file)
        except ssl.SSLError as problem:
            raise ValueError(f"{ca_file} holds no certificates") from problem
    return context
