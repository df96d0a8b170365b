"""What the tests of this folder share with those of deliveries."""

from __future__ import annotations

from tests.delivery.conftest import certificate, clock, connect

__all__ = ["certificate", "clock", "connect"]
