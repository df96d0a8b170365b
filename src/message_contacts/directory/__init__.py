"""The resource directory: folders and members, and what may become of them."""
