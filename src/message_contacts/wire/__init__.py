"""Bytes to calls and back; knows HTTP, knows no rule about contacts."""
