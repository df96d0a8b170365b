"""The contract, word for word, and the vendor's own clients against the real service."""
