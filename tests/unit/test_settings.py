"""Settings: where values come from, which are refused, and what is said about it."""

from datetime import timedelta, timezone
from ipaddress import ip_network

import pytest

from message_contacts.settings import (
    DEMO_ACCESS_KEY_ID,
    DEMO_ACCESS_KEY_SECRET,
    Settings,
    SettingsError,
    declarations,
    load,
)

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def problems(environment, **sources):
    with pytest.raises(SettingsError) as refused:
        load(environment, **sources)
    return refused.value.problems


def test_an_empty_environment_gives_the_defaults():
    settings = load({"PATH": "/bin", "HOME": "/home/somebody"})
    assert settings == Settings()
    assert settings.origins == {}


def test_the_declared_defaults_are_values_that_could_be_given():
    for entry in declarations():
        default = getattr(Settings(public_url="http://localhost:8080"), entry.attribute)
        if default is not None and default != () and not (entry.secret and entry.form.show is str):
            assert entry.form.parse(entry.form.show(default)) == default, entry.name


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("PORT", "9000", "port", 9000),
        ("LOG_FORMAT", "console", "log_format", "console"),
        ("WORKER", "False", "worker", False),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1", "trusted_proxies", (ip_network("10.0.0.0/8"), ip_network("::1"))),
        ("VERIFICATION_VALID_SECONDS", "3600", "verification_valid", timedelta(hours=1)),
        ("CONCURRENCY_WAIT_SECONDS", "0", "concurrency_wait", timedelta()),
        ("CONTACT_DATE_ZONE", "-03:30", "contact_date_zone", timezone(-timedelta(hours=3, minutes=30))),
        ("PHONE_COUNTRY_CODES", "86,852", "phone_country_codes", ("86", "852")),
        ("LANGUAGE", "en", "language", ("en",)),
        ("ENCRYPTION_KEY", KEY, "encryption_key", bytes(32)),
        ("PUBLIC_URL", "https://contacts.example.com/", "public_url", "https://contacts.example.com"),
        ("DATABASE_URL", "sqlite:////var/lib/contacts.db", "database_url", "sqlite:////var/lib/contacts.db"),
        ("DATABASE_URL", "postgresql:///contacts", "database_url", "postgresql:///contacts"),
        (
            "DATABASE_URL",
            "postgresql://tom:p%40ss@[::1]:5432,two/contacts?sslmode=require",
            "database_url",
            "postgresql://tom:p%40ss@[::1]:5432,two/contacts?sslmode=require",
        ),
    ],
)
def test_a_variable_becomes_a_value_of_its_type(name, text, attribute, value):
    environment = {f"MESSAGE_CONTACTS_{name}": text, "MESSAGE_CONTACTS_ALLOW_CAPTURE": "true"}
    settings = load(environment)
    assert getattr(settings, attribute) == value
    assert settings.origins[attribute] == "environment"


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("PORT", "65536", "must be a whole number from 0 to 65535"),
        ("PORT", "80a", "must be a whole number from 0 to 65535"),
        ("PORT", "-1", "must be a whole number from 0 to 65535"),
        ("WORKERS", "0", "must be a whole number from 1 to 64"),
        ("WORKER", "yes", "must be true or false"),
        ("LOG_LEVEL", "verbose", "must be debug or info or warning or error"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "must be addresses or networks"),
        ("CONTACT_DATE_ZONE", "Asia/Shanghai", "must be an offset from UTC such as +08:00"),
        ("PHONE_COUNTRY_CODES", "86,86", "each once"),
        ("LANGUAGE", "fr", "must be `zh` or `en`"),
        ("ENCRYPTION_KEY", "c2hvcnQ=", "must be 32 bytes in base64"),
        ("ENCRYPTION_KEY", "not base64!", "must be 32 bytes in base64"),
        ("PUBLIC_URL", "contacts.example.com", "must be an address such as"),
        ("PUBLIC_URL", "https://user@contacts.example.com", "must be an address such as"),
        ("DATABASE_URL", "postgresql://tom:secret@127.0.0.1", "must be `sqlite:///PATH` or `postgresql://"),
        ("DATABASE_URL", "postgresql://one:5432,/contacts", "must be `sqlite:///PATH` or `postgresql://"),
        ("DATABASE_URL", "postgresql://one:port/contacts", "must be `sqlite:///PATH` or `postgresql://"),
        ("DATABASE_URL", "mysql://somewhere", "must be `sqlite:///PATH`"),
        ("SMTP_URL", "mail.example.com:25", "must be capture: or begin with smtp:// or smtps://"),
        ("SMS_URL", "smtp://mail.example.com", "must be capture: or begin with http:// or https://"),
        ("SMTP_FROM", "Contacts\r\nBcc: x@example.com <a@example.com>", "must be an address"),
        ("ROOT_ACCOUNT_ID", "123", "must be 16 digits"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_wanted(name, text, what):
    found = problems({f"MESSAGE_CONTACTS_{name}": text})
    assert len(found) == 1
    assert found[0].startswith(f"MESSAGE_CONTACTS_{name} ")
    assert what in found[0]


def test_all_problems_are_reported_together():
    found = problems(
        {
            "MESSAGE_CONTACTS_PORT": "x",
            "MESSAGE_CONTACTS_WORKER": "x",
            "MESSAGE_CONTACTS_NONSENSE": "x",
            "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_ID": "key-without-secret",
        }
    )
    assert len(found) == 4


def test_a_problem_does_not_speak_of_a_value_that_was_refused():
    assert len(problems({"MESSAGE_CONTACTS_HOST": "0.0.0.0", "MESSAGE_CONTACTS_PUBLIC_URL": "nowhere"})) == 1


def test_an_unknown_name_is_refused_with_the_nearest_one():
    assert problems({"MESSAGE_CONTACTS_SMPT_URL": "capture:"}) == [
        "MESSAGE_CONTACTS_SMPT_URL is not a setting. Did you mean MESSAGE_CONTACTS_SMTP_URL?"
    ]


@pytest.mark.parametrize(
    "name",
    ["SERVICE_HOST", "SERVICE_PORT", "PORT_80_TCP_ADDR", "API_SERVICE_HOST", "API_PORT", "API_PORT_8080_TCP"],
)
def test_names_that_kubernetes_makes_for_a_service_are_ignored(name):
    assert load({f"MESSAGE_CONTACTS_{name}": "tcp://10.0.0.1:80"}) == Settings()


def test_the_port_that_kubernetes_makes_for_a_service_is_not_ours():
    assert load({"MESSAGE_CONTACTS_PORT": "tcp://10.0.0.1:80"}).port == 8080


def test_an_empty_variable_counts_as_not_set():
    assert load({"MESSAGE_CONTACTS_PORT": "", "MESSAGE_CONTACTS_ENCRYPTION_KEY": " "}) == Settings()


def test_a_value_can_lie_in_a_file(tmp_path):
    secret = tmp_path / "key"
    secret.write_text(KEY + "\n")
    settings = load({"MESSAGE_CONTACTS_ENCRYPTION_KEY_FILE": str(secret)})
    assert settings.encryption_key == bytes(32)
    assert settings.origins["encryption_key"] == f"environment, file {secret}"


def test_a_value_given_twice_is_refused(tmp_path):
    file = tmp_path / "port"
    file.write_text("1")
    found = problems({"MESSAGE_CONTACTS_PORT": "2", "MESSAGE_CONTACTS_PORT_FILE": str(file)})
    assert found == ["MESSAGE_CONTACTS_PORT and MESSAGE_CONTACTS_PORT_FILE are both set; keep one."]


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    missing = tmp_path / "missing"
    assert problems({"MESSAGE_CONTACTS_PORT_FILE": str(missing)}) == [
        "MESSAGE_CONTACTS_PORT_FILE: No such file or directory."
    ]
    assert problems({"MESSAGE_CONTACTS_CONFIG": str(missing)}) == [f"{missing}: No such file or directory."]


def test_the_environment_outranks_the_file_and_the_file_the_default(tmp_path):
    config = tmp_path / "contacts.toml"
    config.write_text('port = 1000\nworker = false\nphone_country_codes = ["86", "852"]\nlog_level = "debug"\n')
    settings = load({"MESSAGE_CONTACTS_CONFIG": str(config), "MESSAGE_CONTACTS_PORT": "2000"})
    assert (settings.port, settings.worker, settings.workers) == (2000, False, 1)
    assert settings.phone_country_codes == ("86", "852")
    assert settings.origins["port"] == "environment"
    assert settings.origins["log_level"] == str(config)


def test_options_outrank_everything_and_a_base_only_the_defaults():
    environment = {"MESSAGE_CONTACTS_PORT": "2000", "MESSAGE_CONTACTS_LOG_FORMAT": "json"}
    settings = load(environment, options={"PORT": "3000"}, base={"LOG_FORMAT": "console", "LOG_LEVEL": "error"})
    assert (settings.port, settings.log_format, settings.log_level) == (3000, "json", "error")


def test_a_file_with_unknown_or_shapeless_entries_is_refused(tmp_path):
    config = tmp_path / "contacts.toml"
    config.write_text("prot = 1\nlanguage = { first = 1 }\n")
    assert problems({}, config=config) == [
        f"{config}: prot is not a setting. Did you mean port?",
        f"{config}: language must be a text, a number, true, false, or a list of texts.",
    ]


def test_a_file_that_is_not_toml_is_refused(tmp_path):
    config = tmp_path / "contacts.toml"
    config.write_text("port: 1\n")
    assert problems({}, config=config)[0].startswith(f"{config}: ")


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 80, "http://127.0.0.1:80"),
        ("::1", 8080, "http://[::1]:8080"),
        ("localhost", 8080, "http://localhost:8080"),
    ],
)
def test_on_loopback_the_public_url_follows_from_host_and_port(host, port, url):
    assert Settings(host=host, port=port).public_url == url


def test_elsewhere_the_public_url_has_to_be_set():
    found = problems({"MESSAGE_CONTACTS_HOST": "0.0.0.0", "MESSAGE_CONTACTS_ALLOW_CAPTURE": "true"})
    assert len(found) == 1
    assert "MESSAGE_CONTACTS_PUBLIC_URL has to be set" in found[0]


@pytest.mark.parametrize(
    ("host", "public_url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("127.0.0.1", "https://contacts.example.com"),
        ("contacts.example.com", "http://localhost"),
    ],
)
def test_capturing_is_refused_where_others_can_reach_the_service(host, public_url):
    environment = {"MESSAGE_CONTACTS_HOST": host, "MESSAGE_CONTACTS_PUBLIC_URL": public_url}
    found = problems(environment)
    assert len(found) == 1
    assert "Set MESSAGE_CONTACTS_SMTP_URL and MESSAGE_CONTACTS_SMS_URL to a real channel" in found[0]
    assert "MESSAGE_CONTACTS_ALLOW_CAPTURE=true" in found[0]
    assert load({**environment, "MESSAGE_CONTACTS_ALLOW_CAPTURE": "true"}).host == host


def test_one_captured_channel_is_enough_to_refuse():
    found = problems(
        {
            "MESSAGE_CONTACTS_PUBLIC_URL": "https://contacts.example.com",
            "MESSAGE_CONTACTS_SMTP_URL": "smtp://mail.example.com",
            "MESSAGE_CONTACTS_SMTP_FROM": "contacts@example.com",
        }
    )
    assert len(found) == 1
    assert found[0].startswith("MESSAGE_CONTACTS_SMS_URL would capture")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"MESSAGE_CONTACTS_PUBLIC_URL": "https://contacts.example.com", "MESSAGE_CONTACTS_ALLOW_CAPTURE": "true"},
        {"MESSAGE_CONTACTS_SMS_URL": "https://gateway.example.com/send"},
    ],
)
@pytest.mark.parametrize("own", [{}, {"ROOT_ACCESS_KEY_ID": "mine"}, {"ROOT_ACCESS_KEY_SECRET": "my-own-secret"}])
def test_the_demo_key_works_nowhere_but_on_loopback_with_everything_captured(elsewhere, own):
    demo = {"ROOT_ACCESS_KEY_ID": DEMO_ACCESS_KEY_ID, "ROOT_ACCESS_KEY_SECRET": DEMO_ACCESS_KEY_SECRET, **own}
    assert load({}, base=demo).demo_key_allowed
    assert any(problem.startswith("The demo access key is public") for problem in problems(elsewhere, base=demo))


def test_tls_needs_both_files_and_they_must_exist(tmp_path):
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("")
    assert problems({"MESSAGE_CONTACTS_TLS_CERTIFICATE": str(certificate)}) == [
        "MESSAGE_CONTACTS_TLS_CERTIFICATE and MESSAGE_CONTACTS_TLS_KEY go together; one of them is missing."
    ]
    both = {"MESSAGE_CONTACTS_TLS_CERTIFICATE": str(certificate), "MESSAGE_CONTACTS_TLS_KEY": str(tmp_path / "key")}
    assert problems(both) == [f"MESSAGE_CONTACTS_TLS_KEY: there is no file {tmp_path / 'key'}."]
    (tmp_path / "key").write_text("")
    assert load(both).public_url == "https://127.0.0.1:8080"


def test_mail_that_is_really_sent_needs_a_real_sender():
    found = problems({"MESSAGE_CONTACTS_SMTP_URL": "smtp://mail.example.com"})
    assert found == [
        "MESSAGE_CONTACTS_SMTP_FROM has to be set to a real sender, because MESSAGE_CONTACTS_SMTP_URL sends mail."
    ]


def test_secrets_are_not_in_what_settings_show_of_themselves():
    settings = load(
        {
            "MESSAGE_CONTACTS_SMTP_URL": "smtp://user:hunter2@mail.example.com",
            "MESSAGE_CONTACTS_SMTP_FROM": "contacts@example.com",
            "MESSAGE_CONTACTS_SMS_URL": "https://:whsec_abcdef@gateway.example.com/send",
            "MESSAGE_CONTACTS_ENCRYPTION_KEY": KEY,
            "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_ID": "root",
            "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_SECRET": "a-root-secret",
        }
    )
    shown = repr(settings) + "".join(entry.shown(getattr(settings, entry.attribute)) for entry in declarations())
    for secret in ("hunter2", "whsec_abcdef", KEY, repr(bytes(32)), "a-root-secret"):
        assert secret not in shown
    assert "smtp://user:***@mail.example.com" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///data/contacts.db", "sqlite:///data/contacts.db"),
        ("postgresql://one/contacts", "postgresql://one/contacts"),
        ("postgresql://tom:a:b@one:1,two:2/contacts", "postgresql://tom:***@one:1,two:2/contacts"),
        (
            "postgresql://one/contacts?user=tom&password=secret&a=b",
            "postgresql://one/contacts?user=tom&password=***&a=b",
        ),
        ("postgresql://one/contacts?sslpassword=secret", "postgresql://one/contacts?sslpassword=***"),
    ],
)
def test_where_the_database_is_can_be_shown_without_its_passwords(url: str, shown: str) -> None:
    settings = Settings(database_url=url)

    assert settings.database_shown == shown
    assert "secret" not in repr(settings)
