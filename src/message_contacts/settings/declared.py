"""Every setting once: type, default, meaning, and whether it is secret.

`docs/reference/settings.md` is made from these declarations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta, timezone
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from message_contacts.settings import forms
from message_contacts.settings.forms import CAPTURE, Form

PREFIX = "MESSAGE_CONTACTS_"
#: Key of the demo data. Known to everybody, so it opens nothing but a service on loopback that captures what it sends.
DEMO_ACCESS_KEY_ID = "MCdemo0000000000000000"
DEMO_ACCESS_KEY_SECRET = "demo-secret-for-loopback-only"  # noqa: S105 - public on purpose, refused anywhere else

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared about one setting."""

    #: Attribute of `Settings`.
    attribute: str
    #: Name outside: `PORT` in the environment behind the prefix, `port` in a file.
    name: str
    form: Form[Any]
    default: Any
    doc: str
    secret: bool

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name

    def shown(self, value: object) -> str:
        """The value as `config show` prints it: secrets masked."""
        if value == () or (value is None and self.default is None):
            return ""
        if self.secret and self.form.show is str:
            return "(set, not shown)"
        return self.form.show(value)


def setting(form: Form[T], *, default: T | None, doc: str, name: str | None = None, secret: bool = False) -> Any:
    """Declare a field of `Settings`; `name` where the name outside is not the attribute in capitals."""
    metadata = {"form": form, "doc": doc, "name": name, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a service."""

    host: str = setting(
        forms.matching(r"[A-Za-z0-9.:\-]+", "name or address to listen on"),
        default="127.0.0.1",
        doc="Address to listen on. `0.0.0.0` is every IPv4 address of the machine; then `PUBLIC_URL` has to be set.",
    )
    port: int = setting(
        forms.whole(0, 65535), default=8080, doc="Port to listen on; 0 takes a free one and says which."
    )
    workers: int = setting(forms.whole(1, 64), default=1, doc="Processes that answer calls.")
    public_url: str = setting(
        forms.PUBLIC_URL,
        default="",
        doc="Where people and clients reach the service; the links in verification messages begin with it, whatever a "
        "request's Host header says. Needed unless `HOST` is loopback; then it is made of `HOST` and `PORT`.",
    )
    tls_certificate: Path | None = setting(
        forms.FILE, default=None, doc="Certificate chain (PEM). With it, the service speaks HTTPS only."
    )
    tls_key: Path | None = setting(forms.FILE, default=None, doc="Private key of the certificate (PEM, not encrypted).")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting(
        forms.NETWORKS,
        default=(),
        doc="Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Empty: nobody's.",
    )
    log_level: str = setting(
        forms.one_of("debug", "info", "warning", "error"), default="info", doc="Least weight of what is logged."
    )
    log_format: str = setting(
        forms.one_of("json", "console"), default="json", doc="One JSON object a line, or lines for people."
    )
    metrics_listen: tuple[str, int] | None = setting(
        forms.LISTEN,
        default=None,
        doc="Address and port of their own for `/metrics`, `/healthz` and `/readyz`, of `serve` and of `worker`; who "
        "reaches them may read them. Without it, `serve` shows `/metrics` beside the API while `HOST` and `PUBLIC_URL` "
        "are loopback, and to nobody but this machine.",
    )
    metrics_folder: Path | None = setting(
        forms.FOLDER,
        default=None,
        doc="Folder in which processes of one machine put their numbers, so that each tells the sum of all. `serve` "
        "with several `WORKERS` makes one for itself; set it so that `worker` processes count in as well.",
    )
    drain: timedelta = setting(
        forms.seconds(0, 300),
        default=timedelta(0),
        name="DRAIN_SECONDS",
        doc="How long the service goes on answering after SIGTERM while `/readyz` says `shutting-down`, so that "
        "balancers stop sending first. A second signal ends it at once.",
    )
    database_url: str = setting(
        forms.DATABASE_URL,
        default="sqlite:///data/message-contacts.db",
        doc="Where everything is kept. An SQLite file is made on first start, with its folder. Three slashes and a "
        "path are relative to where the program was started, four slashes make it absolute: "
        "`sqlite:////var/lib/message-contacts/contacts.db`. A PostgreSQL database has to exist, its tables are made on "
        "first start. Several hosts may be named (`postgresql://user:password@one:5432,two:5432/contacts`): the one "
        "that takes writes is used, also when that becomes another one.",
        secret=True,
    )
    database_connections: int = setting(
        forms.whole(5, 200),
        default=12,
        doc="Connections to PostgreSQL that each process holds, at most.",
    )
    encryption_key: bytes | None = setting(
        forms.KEY_OF_32_BYTES,
        default=None,
        doc="Seals the secrets of access keys and the addresses of webhooks; links and codes in messages are derived "
        "from it. Losing it means new access keys and webhooks. Without it, a file beside an SQLite database (mode "
        "0600) is made at first start; with PostgreSQL it has to be set, the same for every process.",
        secret=True,
    )
    encryption_keys_accepted: tuple[bytes, ...] = setting(
        forms.KEYS_OF_32_BYTES,
        default=(),
        doc="Further keys that open secrets and links but make none, while `ENCRYPTION_KEY` is being "
        "replaced: see the guide on keys.",
        secret=True,
    )
    root_account_id: str | None = setting(
        forms.matching(r"[0-9]{16}", "16 digits"),
        default=None,
        doc="Id of the management account that the first start makes. Without it, a random one.",
    )
    root_account_name: str = setting(
        forms.matching(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}", "1 to 64 letters, digits, dots, hyphens or underscores"),
        default="management-account",
        doc="Name of that account; verification messages say that it asks.",
    )
    root_access_key_id: str | None = setting(
        forms.matching(r"[A-Za-z0-9._\-]{1,64}", "1 to 64 letters, digits, dots, hyphens or underscores"),
        default=None,
        doc="Access key of that account. Without it, the first start makes one and shows it once.",
    )
    root_access_key_secret: str | None = setting(
        forms.matching(r"[!-~]{8,128}", "8 to 128 characters of ASCII without spaces"),
        default=None,
        doc="Its secret. One that differs from the stored secret stops the start; nothing is overwritten.",
        secret=True,
    )
    enable_directory: bool = setting(
        forms.BOOLEAN,
        default=True,
        doc="Whether that account gets an enabled resource directory, so that contacts can be added at once.",
    )
    smtp_url: str = setting(
        forms.channel_url("smtp", "smtps"),
        default=CAPTURE,
        doc="How mail goes out, e.g. `smtp://user:password@mail.example.com:587`. `capture:` sends nothing: mail is "
        "kept in the inbox for the operator to read.",
        secret=True,
    )
    smtp_from: str = setting(
        forms.matching(
            r"(?:[^<>\r\n]+ )?<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+",
            "an address such as `Contacts <contacts@example.com>`",
        ),
        default="Message Contacts <message-contacts@localhost>",
        doc="Sender of mail. Has to be set with an `SMTP_URL`.",
    )
    sms_url: str = setting(
        forms.channel_url("http", "https"),
        default=CAPTURE,
        doc='How text messages go out: a gateway that takes `{"to": ..., "text": ...}` by POST, signed by the Standard '
        "Webhooks rule when the address holds a secret (`https://:whsec_...@gateway.example.com/send`).",
        secret=True,
    )
    allow_capture: bool = setting(
        forms.BOOLEAN,
        default=False,
        doc="Capturing starts only while `HOST` and `PUBLIC_URL` are loopback, since whoever reads the inbox can "
        "confirm every address. `true` allows it elsewhere: for test systems only.",
    )
    worker: bool = setting(
        forms.BOOLEAN,
        default=True,
        doc="Whether `serve` also sends what waits; otherwise run `message-contacts worker`.",
    )
    language: tuple[str, ...] = setting(
        forms.words("zh|en", "`zh` or `en`"),
        default=("zh", "en"),
        doc="Languages of verification mail, and of what stands around published messages, in this order. Text "
        "messages have the first one only.",
    )
    sms_for: str = setting(
        forms.one_of("critical", "all", "none"),
        default="critical",
        doc="Which published messages also go out as text messages: those of severity Critical, all, or none. "
        "Verification codes always do.",
    )
    sms_per_day: int = setting(
        forms.whole(0, 1_000_000),
        default=500,
        doc="Text messages of published messages a day, per account. Further ones are skipped with reason "
        "`daily-limit`. The day begins at midnight UTC+8.",
    )
    sms_country_codes: tuple[str, ...] = setting(
        forms.words("[1-9][0-9]{0,3}", "country codes"),
        default=("86",),
        doc="Country codes to which published messages go out as text messages.",
    )
    webhooks: str = setting(
        forms.one_of("auto", "capture", "post"),
        default="auto",
        doc="Whether messages are posted to webhooks. `capture` keeps them in the inbox, `post` posts them; `auto` "
        "posts unless mail is captured.",
    )
    webhook_private_networks: tuple[IPv4Network | IPv6Network, ...] = setting(
        forms.NETWORKS,
        default=(),
        doc="Networks to which webhooks may lead although they are not of the public internet, e.g. `10.20.0.0/16`. "
        "Only there `http://` is allowed too. Whoever may create webhooks can then have requests made there.",
    )
    webhooks_per_directory: int = setting(forms.whole(0, 1_000), default=20, doc="Webhooks that one directory holds.")
    bounce_domain: str | None = setting(
        forms.matching(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,200}[A-Za-z0-9])?", "a domain"),
        default=None,
        doc="Domain to which mail comes back that cannot be delivered: published messages are sent with the signed "
        "return path `bounce+...@<domain>`. Without it, mail comes back to `SMTP_FROM`, where nothing reads it. See "
        "docs/guide/bounces.md.",
    )
    bounce_listen: str | None = setting(
        forms.matching(r"(?:smtp|lmtp)://(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.\-]+):[0-9]{1,5}", "`smtp://host:port`"),
        default=None,
        doc="Where to take reports about mail that came back: `smtp://0.0.0.0:25`, or `lmtp://127.0.0.1:24` behind a "
        "mail server of your own. Needs `BOUNCE_DOMAIN`. Whatever runs a worker listens.",
    )
    bounce_imap_url: str | None = setting(
        forms.server_url("imaps", "imap"),
        default=None,
        doc="Mailbox to fetch such reports from instead: `imaps://user:password@mail.example.com/INBOX`. Without the "
        "s it is encrypted by STARTTLS, unless it is on this machine. What was recorded is deleted there. Needs "
        "`BOUNCE_DOMAIN`. Whatever runs a worker reads it, one process at a time.",
        secret=True,
    )
    bounce_imap_interval: timedelta = setting(
        forms.seconds(15, 3_600),
        default=timedelta(minutes=1),
        name="BOUNCE_IMAP_INTERVAL_SECONDS",
        doc="How long it is between two looks into that mailbox. The same for all processes.",
    )
    soft_bounces_until_suspended: int = setting(
        forms.whole(1, 100),
        default=5,
        doc="Messages in a row that may come back before an address is suspended. One that comes back because there "
        "is no such mailbox suspends at once.",
    )
    security_messages_optional: bool = setting(
        forms.BOOLEAN,
        default=False,
        doc="Whether people may unsubscribe from security messages too.",
    )
    contacts_per_directory: int = setting(
        forms.COUNT, default=20, doc="Contacts that one directory holds, in every status."
    )
    folders_per_directory: int = setting(forms.COUNT, default=100, doc="Folders that one directory holds, Root aside.")
    members_per_directory: int = setting(forms.COUNT, default=200, doc="Members that one directory holds.")
    phone_country_codes: tuple[str, ...] = setting(
        forms.words("[1-9][0-9]{0,3}", "country codes"),
        default=("86",),
        doc="Country codes that phone numbers may have.",
    )
    contact_date_zone: timezone = setting(
        forms.ZONE,
        default=timezone(timedelta(hours=8)),
        doc="Zone of the dates of contacts in answers, which carry none. The vendor's home zone by default.",
    )
    verification_valid: timedelta = setting(
        forms.seconds(60, 30 * 86_400),
        default=timedelta(days=1),
        name="VERIFICATION_VALID_SECONDS",
        doc="How long a link and its code are good.",
    )
    verifications_per_day: int = setting(
        forms.COUNT, default=100, doc="Verification messages a day, per account and channel."
    )
    verifications_per_minute: int = setting(
        forms.COUNT, default=10, doc="Verification messages a minute to one address."
    )
    concurrency_wait: timedelta = setting(
        forms.seconds(0, 60),
        default=timedelta(seconds=3),
        name="CONCURRENCY_WAIT_SECONDS",
        doc="How long a change is decided again while others are in its way, before the caller is told "
        "`ConcurrentCallNotSupported`.",
    )
    requests_per_second: int = setting(
        forms.RATE,
        default=0,
        doc="Calls a second that one access key may make, in all processes together; more are refused with "
        "`Throttling.User`. 0: any number.",
    )
    directory_requests_per_second: int = setting(
        forms.RATE,
        default=0,
        doc="Calls a second that one account may make, all its access keys and all processes together. 0: any number.",
    )
    inbox_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=30),
        name="INBOX_KEPT_DAYS",
        doc="How long captured messages are kept; of each account the newest 10,000 at most.",
    )
    failed_jobs_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=90),
        name="FAILED_JOBS_KEPT_DAYS",
        doc="How long work that was given up can be looked at and tried again, from when it was first asked for.",
    )
    messages_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=365),
        name="MESSAGES_KEPT_DAYS",
        doc="How long published messages, their deliveries and closed incidents are kept, from when they were "
        "published, and closed requests to hand over. What still waits and what is open stay, and their messages.",
    )
    verifications_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=90),
        name="VERIFICATIONS_KEPT_DAYS",
        doc="How long a verification is kept after its link and code ran out; until then the page can say what became "
        'of it. Longer, as long as "this was not me" that was said by it is in force or a captured message carries it.',
    )
    evidence_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=1095),
        name="EVIDENCE_KEPT_DAYS",
        doc="How long it is kept who confirmed an address, from when neither a contact nor a copy in a member rests on "
        "it any more. Before, it is always kept.",
    )
    audit_kept: timedelta | None = setting(
        forms.days(36_500),
        default=timedelta(days=1095),
        name="AUDIT_KEPT_DAYS",
        doc="How long audit events are kept. What is left still verifies; of each account the last event that is due "
        "stays, without its personal parts, to show that what went was due.",
    )
    recommend_host: str = setting(
        forms.matching(r"[A-Za-z0-9.\-]+(?::[0-9]+)?", "a host name"),
        default="api.aliyun.com",
        doc="Host of the `Recommend` link in error answers.",
    )
    #: Where each value comes from, by attribute: `default`, `environment`, or a file's name.
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.public_url and is_loopback(self.host):
            host = f"[{self.host}]" if ":" in self.host else self.host
            scheme = "https" if self.tls_certificate else "http"
            object.__setattr__(self, "public_url", f"{scheme}://{host}:{self.port}")

    @property
    def database_shown(self) -> str:
        """Where the database is, for people: without its password."""
        return forms.without_password(self.database_url)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service, and knows it by such an address."""
        return is_loopback(self.host) and is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def demo_key_allowed(self) -> bool:
        """Whether the key that everybody knows may open this service: on loopback, with everything captured."""
        return self.loopback and self.smtp_url == self.sms_url == CAPTURE and self.webhooks_captured

    @property
    def webhooks_captured(self) -> bool:
        """Whether messages for webhooks land in the inbox."""
        return self.webhooks == "capture" or (self.webhooks == "auto" and self.smtp_url == CAPTURE)

    def problems(self) -> Iterator[str]:
        """Sentences about settings that do not go together."""
        if not self.public_url:
            yield f"{PREFIX}PUBLIC_URL has to be set, because {PREFIX}HOST ({self.host}) is not a loopback address."
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY go together; one of them is missing."
        for name, path in (("TLS_CERTIFICATE", self.tls_certificate), ("TLS_KEY", self.tls_key)):
            if path is not None and not path.is_file():
                yield f"{PREFIX}{name}: there is no file {path}."
        if (self.root_access_key_id is None) != (self.root_access_key_secret is None):
            yield f"{PREFIX}ROOT_ACCESS_KEY_ID and {PREFIX}ROOT_ACCESS_KEY_SECRET go together; one of them is missing."
        if self.smtp_url != CAPTURE and self.smtp_from.rstrip(">").endswith("@localhost"):
            yield f"{PREFIX}SMTP_FROM has to be set to a real sender, because {PREFIX}SMTP_URL sends mail."
        if self.bounce_listen is not None and self.bounce_domain is None:
            yield f"{PREFIX}BOUNCE_LISTEN needs {PREFIX}BOUNCE_DOMAIN, which is not set."
        if self.bounce_imap_url is not None and self.bounce_domain is None:
            yield f"{PREFIX}BOUNCE_IMAP_URL needs {PREFIX}BOUNCE_DOMAIN, which is not set."
        captured = [name for name, url in (("SMTP_URL", self.smtp_url), ("SMS_URL", self.sms_url)) if url == CAPTURE]
        if captured and self.public_url and not self.loopback and not self.allow_capture:
            names = " and ".join(PREFIX + name for name in captured)
            yield (
                f"{names} would capture messages on a service that others can reach (HOST {self.host}, PUBLIC_URL "
                f"{self.public_url}). Set {names} to a real channel, or {PREFIX}ALLOW_CAPTURE=true on a test system."
            )
        if self.webhooks == "capture" and self.public_url and not self.loopback and not self.allow_capture:
            yield (
                f"{PREFIX}WEBHOOKS would capture messages on a service that others can reach (HOST {self.host}, "
                f"PUBLIC_URL {self.public_url}). Set it to post, or {PREFIX}ALLOW_CAPTURE=true on a test system."
            )
        if self.metrics_listen is not None and self.metrics_listen[1] == self.port:
            yield f"{PREFIX}METRICS_LISTEN and {PREFIX}PORT name the same port ({self.port}); metrics need their own."
        demo = DEMO_ACCESS_KEY_ID, DEMO_ACCESS_KEY_SECRET
        if (self.root_access_key_id == demo[0] or self.root_access_key_secret == demo[1]) and not self.demo_key_allowed:
            yield (
                "The demo access key is public: it works only on a loopback address with captured mail and text "
                f"messages. Set {PREFIX}ROOT_ACCESS_KEY_ID and {PREFIX}ROOT_ACCESS_KEY_SECRET to your own."
            )


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own, unreachable from others."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def declarations() -> list[Declaration]:
    """All settings, in the order of the reference."""
    return [
        Declaration(
            attribute=entry.name,
            name=entry.metadata["name"] or entry.name.upper(),
            form=entry.metadata["form"],
            default=entry.default,
            doc=entry.metadata["doc"],
            secret=entry.metadata["secret"],
        )
        for entry in fields(Settings)
        if "form" in entry.metadata
    ]
