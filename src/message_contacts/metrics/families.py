"""Every metric there is, declared once: from here come the exposition and its reference page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a number does over time, in Prometheus' words."""

    #: Only rises, and begins at nought when the process does.
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """One metric with all its labels. `name` is without the `_total` that counters end with outside."""

    name: str
    kind: Kind
    doc: str
    #: Each with the values it can have.
    labels: Mapping[str, str] = field(default_factory=dict)
    #: Upper bounds of a histogram's buckets; one without a bound follows.
    bounds: tuple[float, ...] = ()
    #: What is done with the numbers of several processes: added, or the least of them taken.
    least_counts: bool = False

    @property
    def shown_name(self) -> str:
        """The name of its series, as queries use it."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


class Sample(NamedTuple):
    """One number of a family; of a histogram: the counts of its buckets, and the sum."""

    family: Family
    #: Values of the family's labels, in their order.
    labels: tuple[str, ...]
    value: float | tuple[tuple[int, ...], float]


_PREFIX = "message_contacts_"
_LATENCIES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_OPERATION = "name of an operation; `unknown`: the call named none that exists"
_CODE = (
    "`OK` or the code of an error; `Missing*` and `Invalid*` stand for codes made of the name of a parameter that are "
    "not in the reference"
)
_CHANNEL = "`email`, `sms` or `webhook`"
_QUEUE = (
    "queue: `email`, `sms` or `webhook` for verifications and codes, the same with `-messages` for messages, and "
    "`internal` for the rest"
)
_JOB_KIND = "kind of work; `unknown`: of a newer release"

REQUESTS = Family(
    name=_PREFIX + "requests",
    kind=Kind.COUNTER,
    doc='Calls answered. `code="Throttling.User"` counts calls beyond a limit.',
    labels={"operation": _OPERATION, "code": _CODE},
)
REQUEST_SECONDS = Family(
    name=_PREFIX + "request_duration_seconds",
    kind=Kind.HISTOGRAM,
    doc="Time from a call's last byte to its answer.",
    labels={"operation": _OPERATION, "code": _CODE},
    bounds=_LATENCIES,
)
UNAUTHENTICATED = Family(
    name=_PREFIX + "requests_unauthenticated",
    kind=Kind.COUNTER,
    doc="Requests refused before it was known who called: bad signatures, unknown keys, limits of bytes and time.",
    labels={"code": _CODE},
)
COMMITS_FAILED = Family(
    name=_PREFIX + "commits_failed",
    kind=Kind.COUNTER,
    doc="Commits that the database could not carry out: full disk, lost connection, locks held for too long.",
)
COMMIT_SECONDS = Family(
    name=_PREFIX + "commit_duration_seconds",
    kind=Kind.HISTOGRAM,
    doc="Time of a commit with all statements in it; `_count` is the number of commits.",
    bounds=_LATENCIES,
)
COMMIT_GROUP = Family(
    name=_PREFIX + "commit_group_size",
    kind=Kind.HISTOGRAM,
    doc="Changes that one commit carried; `_sum` is the number of changes.",
    bounds=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
JOBS = Family(
    name=_PREFIX + "jobs",
    kind=Kind.COUNTER,
    doc="Tries to do waiting work.",
    labels={
        "channel": _QUEUE,
        "kind": _JOB_KIND,
        "outcome": "`done`, `again` (failed, tried again later) or `dead` (given up)",
    },
)
JOB_SECONDS = Family(
    name=_PREFIX + "job_duration_seconds",
    kind=Kind.HISTOGRAM,
    doc="Time of one try, with what the other side took.",
    labels={"channel": _QUEUE, "kind": _JOB_KIND},
    bounds=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0),
)
JOB_RESTS = Family(
    name=_PREFIX + "job_rest_seconds",
    kind=Kind.COUNTER,
    doc="Time that `worker` rested between jobs because its machine had too few processors; up to 12 jobs of a queue "
    "go on at the same time, and each has its own.",
)
MESSAGES = Family(
    name=_PREFIX + "messages",
    kind=Kind.COUNTER,
    doc="Published messages for which it was worked out who gets them.",
    labels={"type": "message type", "severity": "severity"},
)
DELIVERIES = Family(
    name=_PREFIX + "deliveries",
    kind=Kind.COUNTER,
    doc="What became of deliveries, told anew with each change: one that was put off twice and then sent counts three "
    "times. Those that were skipped before any try count below only.",
    labels={
        "channel": _CHANNEL,
        "state": "`sent`, `delivered`, `deferred`, `failed`, `expired` or `skipped`",
    },
)
DELIVERIES_SKIPPED = Family(
    name=_PREFIX + "addresses_skipped",
    kind=Kind.COUNTER,
    doc="Addresses that did not get a message, by the rule that stood against it; whoever is bound in several ways "
    "counts for each.",
    labels={
        "channel": _CHANNEL,
        "reason": "word of the rule, as in deliveries: `suppressed`, `opted-out`, `not-verified` ...",
    },
)
MESSAGES_NOBODY_SUBSCRIBED = Family(
    name=_PREFIX + "messages_nobody_subscribed",
    kind=Kind.COUNTER,
    doc="Messages that went to contacts without the type, since nobody who has it could be reached for some members.",
)
MESSAGE_FALLBACKS = Family(
    name=_PREFIX + "message_fallbacks",
    kind=Kind.COUNTER,
    doc="Messages that went to a fallback address, since nobody could be reached for some members, or nobody was.",
)
INCIDENTS = Family(
    name=_PREFIX + "incidents_opened",
    kind=Kind.COUNTER,
    doc="Messages that reached nobody where they should have.",
)
SUSPENSIONS = Family(
    name=_PREFIX + "addresses_suspended",
    kind=Kind.COUNTER,
    doc="Addresses to which nothing more is sent, after bounces or a complaint.",
)
HAND_OVERS = Family(
    name=_PREFIX + "hand_overs_asked",
    kind=Kind.COUNTER,
    doc="Requests of contacts to have a colleague get their messages.",
)
TEXT_MESSAGES_USED_UP = Family(
    name=_PREFIX + "text_messages_over_limit",
    kind=Kind.COUNTER,
    doc="Text messages that were not sent because a tenant's day was used up.",
)
BOUNCE_MAILBOX_READS = Family(
    name=_PREFIX + "bounce_mailbox_reads",
    kind=Kind.COUNTER,
    doc="Looks into the mailbox of `BOUNCE_IMAP_URL`.",
    labels={
        "outcome": "`read`, or why not: `unreachable`, `certificate-refused`, `not-encrypted`, `login-refused`, "
        "`no-such-folder`, `read-only`, `not-understood`, `internal-error`"
    },
)
BOUNCE_MAILBOX_MAILS = Family(
    name=_PREFIX + "bounce_mailbox_mails",
    kind=Kind.COUNTER,
    doc="Mails found there. One that has to be looked at again is counted each time.",
    labels={
        "result": "`recorded`, `suspended` (recorded, and the address is suspended from now on), `nothing-new`, "
        "`too-early` (looked at again), `failed` (the same), `not-a-report`, `not-ours`, `too-large`"
    },
)

JOBS_WAITING = Family(
    name=_PREFIX + "jobs_waiting",
    kind=Kind.GAUGE,
    doc="Work that waits to be done, is being done, or is to be tried again. Counted up to 1,000,000.",
    labels={"channel": _QUEUE},
)
JOBS_FIRST_DUE = Family(
    name=_PREFIX + "jobs_first_due",
    kind=Kind.GAUGE,
    doc="Of which kinds the work is that is due first, of the first 10,000 of each queue.",
    labels={"channel": _QUEUE, "kind": _JOB_KIND},
)
JOBS_OVERDUE_SECONDS = Family(
    name=_PREFIX + "jobs_overdue_seconds",
    kind=Kind.GAUGE,
    doc="For how long the oldest work that is due has been waiting for a worker; 0: none is.",
    labels={"channel": _QUEUE},
)
JOBS_DEAD = Family(
    name=_PREFIX + "jobs_dead",
    kind=Kind.GAUGE,
    doc="Work that was given up and lies there until it is made to wait again, or its time is over. Counted up to "
    "10,000.",
)
AUDIT_LAG_SECONDS = Family(
    name=_PREFIX + "audit_unsealed_seconds",
    kind=Kind.GAUGE,
    doc="Age of the oldest audit event that is not in its chain yet; 0: all are.",
)
CONNECTIONS = Family(
    name=_PREFIX + "database_connections",
    kind=Kind.GAUGE,
    doc="Connections to PostgreSQL, all processes together.",
    labels={"pool": "`reading`, `listing` or `committing`", "state": "`in-use` or `idle`"},
)
CONNECTIONS_MOST = Family(
    name=_PREFIX + "database_connections_limit",
    kind=Kind.GAUGE,
    doc="Connections to PostgreSQL that there may be.",
    labels={"pool": "`reading`, `listing` or `committing`"},
)
CONNECTIONS_AWAITED = Family(
    name=_PREFIX + "database_connection_waiters",
    kind=Kind.GAUGE,
    doc="Who waits for a connection to PostgreSQL; with `committing`, changes that wait for the next commit.",
    labels={"pool": "`reading`, `listing` or `committing`"},
)
DATABASE_READ = Family(
    name=_PREFIX + "database_up",
    kind=Kind.GAUGE,
    doc="Whether the numbers above could be read from the database for this answer: 1 or 0. With 0 they are missing.",
)
BUILD = Family(
    name=_PREFIX + "build_info",
    kind=Kind.GAUGE,
    doc="Always 1; what runs is in the labels.",
    labels={"version": "of the program", "python": "of Python", "schema": "version that the program brings it to"},
)
PROCESSES = Family(name=_PREFIX + "processes", kind=Kind.GAUGE, doc="Processes whose numbers are added in this answer.")

PROCESS_CPU = Family(name="process_cpu_seconds", kind=Kind.COUNTER, doc="CPU time used, all processes together.")
PROCESS_MEMORY = Family(name="process_resident_memory_bytes", kind=Kind.GAUGE, doc="Memory in RAM, all processes.")
PROCESS_FILES = Family(name="process_open_fds", kind=Kind.GAUGE, doc="Open files and connections, all processes.")
PROCESS_START = Family(
    name="process_start_time_seconds",
    kind=Kind.GAUGE,
    doc="When the oldest of the processes began, in seconds since 1970-01-01 UTC.",
    least_counts=True,
)

#: In the order in which they are told.
FAMILIES: tuple[Family, ...] = (
    REQUESTS,
    REQUEST_SECONDS,
    UNAUTHENTICATED,
    COMMIT_SECONDS,
    COMMIT_GROUP,
    COMMITS_FAILED,
    JOBS,
    JOB_SECONDS,
    JOB_RESTS,
    MESSAGES,
    DELIVERIES,
    DELIVERIES_SKIPPED,
    MESSAGES_NOBODY_SUBSCRIBED,
    MESSAGE_FALLBACKS,
    INCIDENTS,
    SUSPENSIONS,
    HAND_OVERS,
    TEXT_MESSAGES_USED_UP,
    BOUNCE_MAILBOX_READS,
    BOUNCE_MAILBOX_MAILS,
    JOBS_WAITING,
    JOBS_FIRST_DUE,
    JOBS_OVERDUE_SECONDS,
    JOBS_DEAD,
    AUDIT_LAG_SECONDS,
    CONNECTIONS,
    CONNECTIONS_MOST,
    CONNECTIONS_AWAITED,
    DATABASE_READ,
    BUILD,
    PROCESSES,
    PROCESS_CPU,
    PROCESS_MEMORY,
    PROCESS_FILES,
    PROCESS_START,
)
BY_NAME: Mapping[str, Family] = {family.name: family for family in FAMILIES}
