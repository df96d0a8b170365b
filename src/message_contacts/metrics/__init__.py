"""How often and how fast: numbers about the service for its operator, in Prometheus' conventions.

No label holds an address, an id or anything else that a caller chooses: each has few values, known beforehand.
"""

from message_contacts.metrics import families
from message_contacts.metrics.families import FAMILIES, Family, Kind, Sample
from message_contacts.metrics.recording import UNKNOWN, Metrics, Numbers

__all__ = ["FAMILIES", "UNKNOWN", "Family", "Kind", "Metrics", "Numbers", "Sample", "families"]
