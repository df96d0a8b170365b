"""Challenges that show that an address belongs to the person who reads it."""
