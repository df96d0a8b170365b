"""Ways to reach a person: one class each, chosen by a URL in `choose`."""
