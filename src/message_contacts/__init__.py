"""Message Contacts: a self-hosted service that keeps, verifies and reaches an organisation's message contacts."""
