"""`account` and `access-key`, on a database of their own."""

import json

import pytest


@pytest.fixture
def database(run):
    assert run("migrate").exit_code == 0


def made(run, *words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("database")
def test_an_account_comes_with_a_directory_and_a_key_shown_once(run):
    account = made(run, "account", "create", "team")
    assert account["AccountName"] == "team"
    assert account["ResourceDirectoryId"].startswith("rd-")
    assert [entry["AccountName"] for entry in made(run, "account", "list")] == ["team"]
    (key,) = made(run, "access-key", "list", account["AccountId"])
    assert (key["AccessKeyId"], key["Status"]) == (account["AccessKeyId"], "Active")
    assert account["AccessKeySecret"] not in run("access-key", "list", account["AccountId"]).output


@pytest.mark.usefixtures("database")
def test_an_account_can_be_made_without_either_and_with_a_chosen_id(run):
    account = made(run, "account", "create", "bare", "--account-id", "1000000000000009", "--no-directory", "--no-key")
    assert account == {"AccountId": "1000000000000009", "AccountName": "bare"}
    assert run("account", "create", "again", "--account-id", "1000000000000009").exit_code == 1


@pytest.mark.usefixtures("database")
def test_a_key_is_switched_off_and_on_and_deleted(run):
    account = made(run, "account", "create", "team")
    key = made(run, "access-key", "create", account["AccountId"])["AccessKeyId"]

    def status():
        return {
            found["AccessKeyId"]: found["Status"] for found in made(run, "access-key", "list", account["AccountId"])
        }

    assert run("access-key", "deactivate", key).exit_code == 0
    assert status() == {account["AccessKeyId"]: "Active", key: "Inactive"}
    assert run("access-key", "activate", key).exit_code == 0
    assert status()[key] == "Active"
    assert run("access-key", "delete", key, "--yes").exit_code == 0
    assert status() == {account["AccessKeyId"]: "Active"}


@pytest.mark.usefixtures("database")
def test_deleting_a_key_asks_first(run):
    account = made(run, "account", "create", "team")
    assert run("access-key", "delete", account["AccessKeyId"]).exit_code == 1  # nobody says yes
    assert len(made(run, "access-key", "list", account["AccountId"])) == 1


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("words", [["deactivate", "nobody"], ["activate", "nobody"], ["delete", "nobody", "--yes"]])
def test_an_unknown_key_is_a_failure_that_is_named(run, words):
    result = run("access-key", *words)
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no access key nobody.\n"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("account_id", ["1999999999999999", "somebody"])
def test_a_key_for_nobody_is_refused(run, account_id):
    result = run("access-key", "create", account_id)
    assert result.exit_code == 1
    assert f"there is no account {account_id}" in result.stderr


def test_a_database_that_is_not_there_is_not_made_by_looking(run, tmp_path):
    result = run("account", "list")
    assert result.exit_code == 1
    assert "there is no database at sqlite:///" in result.stderr
    assert list(tmp_path.glob("contacts.db*")) == []
