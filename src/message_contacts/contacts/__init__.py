"""Contacts: their fields, their addresses' life, their bindings to the tree, and what deleting leaves behind."""
