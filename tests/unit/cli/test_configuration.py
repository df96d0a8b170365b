"""`config show`."""

SECRET = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def row(result, name):
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(f"MESSAGE_CONTACTS_{name} ")]
    return line.split(maxsplit=1)[1]


def test_config_show_says_value_and_origin(run, tmp_path):
    config = tmp_path / "contacts.toml"
    config.write_text('log_level = "debug"\n')
    result = run("config", "show", "--config", str(config), MESSAGE_CONTACTS_PORT="9000")
    assert result.exit_code == 0
    assert row(result, "PORT").split() == ["9000", "environment"]
    assert row(result, "LOG_LEVEL").split() == ["debug", str(config)]
    assert row(result, "WORKERS").split() == ["1", "default"]
    assert row(result, "PUBLIC_URL").split() == ["http://127.0.0.1:9000", "HOST", "and", "PORT"]


def test_config_show_masks_secrets(run):
    result = run(
        "config",
        "show",
        MESSAGE_CONTACTS_ENCRYPTION_KEY=SECRET,
        MESSAGE_CONTACTS_SMTP_URL="smtp://user:hunter2@mail.example.com",
        MESSAGE_CONTACTS_SMTP_FROM="contacts@example.com",
    )
    assert result.exit_code == 0
    assert SECRET not in result.output
    assert "hunter2" not in result.output
    assert row(result, "SMTP_URL").startswith("smtp://user:***@mail.example.com ")


def test_settings_that_cannot_be_used_end_a_command_with_every_reason(run):
    result = run("config", "show", MESSAGE_CONTACTS_PORT="many", MESSAGE_CONTACTS_WORKER="perhaps")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "- MESSAGE_CONTACTS_PORT must be a whole number" in result.stderr
    assert "- MESSAGE_CONTACTS_WORKER must be true or false" in result.stderr
