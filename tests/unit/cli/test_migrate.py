"""`migrate`."""


def test_migrate_makes_the_database_and_then_has_nothing_to_do(run, tmp_path):
    first = run("migrate")
    assert first.exit_code == 0
    assert "now has schema version" in first.stderr
    assert (tmp_path / "contacts.db").exists()
    again = run("migrate")
    assert again.exit_code == 0
    assert "nothing to do" in again.stderr


def test_migrate_check_only_says_what_is_needed(run, tmp_path):
    before = run("migrate", "--check")
    assert before.exit_code == 1
    assert "run `message-contacts migrate`" in before.stderr
    assert not (tmp_path / "contacts.db").exists()
    run("migrate")
    assert run("migrate", "--check").exit_code == 0
