"""The text of the protocol: parameters and signatures, pure."""
