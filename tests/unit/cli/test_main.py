"""The command line as a whole: what there is, and what it costs to ask."""

import subprocess
import sys

import click
import pytest

from message_contacts.cli.main import commands


def all_commands(group=commands, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group) and name != "api":
            yield from all_commands(command, (*path, name))


COMMANDS = dict(all_commands())


def test_the_list_of_commands_matches_what_each_says_of_itself(run):
    result = run("--help")
    assert result.exit_code == 0
    for name, *deeper in COMMANDS:
        assert deeper or f"\n  {name} " in result.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_every_option_has_a_help_text(run, path):
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or parameter.help, parameter.name
    assert run(*path, "--help").exit_code == 0


def test_an_unknown_command_is_wrong_usage(run):
    result = run("serv")
    assert result.exit_code == 2
    assert "No such command 'serv'" in result.stderr


def test_help_does_not_load_what_serving_needs():
    program = (
        "import sys\n"
        "from message_contacts.cli.main import commands\n"
        "try:\n    commands.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(','.join({'uvicorn', 'apsw', 'sqlalchemy', 'structlog', 'aiohttp'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
