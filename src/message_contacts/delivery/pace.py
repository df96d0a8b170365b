"""How fast a worker goes, and how long it waits after a failure."""

from __future__ import annotations

from dataclasses import dataclass

from message_contacts.clock import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRules:
    """How a worker works."""

    #: Jobs claimed at a time, and recorded in one commit at most.
    batch: int = 50
    #: Jobs of one queue that are done at the same time.
    concurrency: int = 12
    #: Those of them that may be one tenant's: what is left is there for others, however slow that tenant's are.
    of_one_tenant: int = 8
    #: Milliseconds for which a claim holds.
    claim_for: int = 5 * MINUTE
    #: Seconds after which a try is broken off.
    try_seconds: float = 120.0
    #: Seconds after which a channel is looked at again, whatever is said to be due: other processes enqueue too.
    poll_seconds: float = 1.0
    #: Seconds before the second try; each further wait doubles.
    first_wait_seconds: float = 15.0
    #: Seconds that a wait is at most, before jitter.
    longest_wait_seconds: float = 1800.0
    #: Tries after which a job is given up.
    tries: int = 68


def wait_seconds(tries: int, rules: WorkerRules, jitter: float) -> float:
    """Seconds to wait after that many failed tries.

    min(first * 2 ** (tries - 1), longest) * (0.8 + 0.4 * jitter): 15 s, 30 s, 1, 2, 4, 8 and 16 min, then half an
    hour each, every wait up to a fifth shorter or longer so that what failed together does not come back together. 68
    tries have 67 waits between them, at least 24 and at most 37 hours: a mail server that is down for an hour costs
    delay, and one that is down for a day still loses nothing.

    Args:
        tries: 1 after the first.
        jitter: Between 0 and 1.
    """
    # Beyond 2**40 nothing changes any more, but the power would grow without end.
    wait = min(rules.first_wait_seconds * 2.0 ** min(tries - 1, 40), rules.longest_wait_seconds)
    return wait * (0.8 + 0.4 * jitter)
