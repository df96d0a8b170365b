"""Why a service does not start."""

from __future__ import annotations


class StartError(Exception):
    """The service cannot start as it is set up; the text says why and what to do."""
