"""Commands run in this process, on a database of their own."""

import pytest
from click.testing import CliRunner, Result

from message_contacts.cli.main import commands


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command line and return its result: `exit_code`, `stdout`, `stderr`."""
    monkeypatch.setenv("MESSAGE_CONTACTS_DATABASE_URL", f"sqlite:///{tmp_path}/contacts.db")

    def run(*arguments: str, **environment: str) -> Result:
        result = CliRunner().invoke(commands, arguments, env=environment, catch_exceptions=True)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
