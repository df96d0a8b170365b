"""The web console: pages for those who look after contacts. It acts only by calling operations."""
