"""What can be wrong with a service that runs: one vocabulary, for `/readyz` and the logs."""

from __future__ import annotations

from enum import StrEnum


class Ailment(StrEnum):
    """Why a service cannot do its work now. Words only: whoever asks may be a stranger."""

    DATABASE_UNREACHABLE = "database-unreachable"
    #: Others hold its locks for longer than calls wait.
    DATABASE_BUSY = "database-busy"
    DATABASE_READ_ONLY = "database-read-only"
    DATABASE_DAMAGED = "database-damaged"
    DISK_FULL = "disk-full"
    #: The database was put back to an earlier state than this program works with.
    SCHEMA_TOO_OLD = "schema-too-old"
    #: A newer release has changed the database past what this program works with.
    SCHEMA_TOO_NEW = "schema-too-new"
    #: The secrets of access keys were sealed with another encryption key.
    ENCRYPTION_KEY_WRONG = "encryption-key-wrong"
    #: The worker inside this process has not moved for minutes.
    WORKER_STALLED = "worker-stalled"
    SHUTTING_DOWN = "shutting-down"
    #: The check itself failed, which is a bug; the log has it.
    INTERNAL_ERROR = "internal-error"


class Impairment(StrEnum):
    """What does not work although calls are answered and work is done. Words only, as above."""

    #: The mailbox that reports are fetched from does not answer, or not in a way that can be trusted.
    BOUNCE_MAILBOX_UNREACHABLE = "bounce-mailbox-unreachable"
    BOUNCE_MAILBOX_LOGIN_REFUSED = "bounce-mailbox-login-refused"
    #: Its folder is not there, may not be changed, or its server is not understood.
    BOUNCE_MAILBOX_UNUSABLE = "bounce-mailbox-unusable"
