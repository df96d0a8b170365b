"""Waiting work, and what became of it."""
