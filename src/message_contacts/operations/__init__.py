"""The API, each operation declared once."""
