"""Who calls: accounts and access keys."""
