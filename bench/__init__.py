"""Measures this service against servers that stand for what is possible and what is usual: `scripts/bench`."""
