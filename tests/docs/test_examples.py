"""Every example in the README and the guide that says it can be run is run, as written, against a started service.

The comment before a snippet says what is done with it: `<!-- run -->`; `<!-- run, fails -->` to show an error;
`<!-- run, id from the answer before -->` where `c-...`, `fd-...`, `MC...` and `secret-...` stand for ids of contacts,
folders and access keys, and for a secret, that came in an answer.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
#: By the field of an answer.
PLACEHOLDERS = {
    "ContactId": "c-...",
    "FolderId": "fd-...",
    "AccessKeyId": "MC...",
    "AccessKeySecret": "secret-...",
}
SNIPPET = re.compile(r"<!-- run(?P<how>[^>]*) -->\n```(?P<language>sh|python)\n(?P<program>.*?)```", re.DOTALL)


def snippets(page):
    return [found.groupdict() for found in SNIPPET.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda page: page.name)
def test_the_examples_of_a_page_work_as_written(demo, page):
    """One shell after the other: what one snippet exports or is answered, the next ones may use."""
    variables, ids = {}, {}
    for snippet in snippets(page):
        program = re.sub(r"\b(?:c-|fd-|MC|secret-)\.\.\.", lambda found: ids[found[0]], snippet["program"])
        ended = demo.run(program, language=snippet["language"], variables=variables)
        variables |= dict(re.findall(r"^export (\w+)=(\S+)$", program, re.MULTILINE))
        said = f"{program}\n{ended.stdout}\n{ended.stderr}"
        assert (ended.returncode == 1) if "fails" in snippet["how"] else (ended.returncode == 0), said
        assert ended.stdout or ended.stderr or program.lstrip().startswith("export "), said
        for name, placeholder in PLACEHOLDERS.items():
            if found := re.search(rf'"{name}": "([^"]+)"', ended.stdout):
                ids[placeholder] = found[1]


def test_every_page_of_the_guide_that_shows_our_commands_is_run():
    with_commands = {page.name for page in PAGES if "\n.venv/bin/message-contacts " in page.read_text(encoding="utf-8")}
    assert with_commands == {
        "README.md",
        "access.md",
        "audit.md",
        "console-access.md",
        "getting-started.md",
        "messages.md",
        "verification.md",
        "who-is-reached.md",
    }
    for page in PAGES:
        run = "".join(snippet["program"] for snippet in snippets(page))
        for line in re.findall(r"^\.venv/bin/message-contacts .*$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert line in run, (page.name, line)


def test_the_readme_shows_the_script_that_lies_beside_the_guide():
    script = (ROOT / "docs" / "guide" / "first_call.py").read_text(encoding="utf-8").split("\n", 2)[2]
    assert f"```python\n{script}```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_the_start_says_to_try_first_works(demo):
    export, *commands = [
        line.strip().partition("    #")[0]
        for line in demo.announcement.partition("second terminal:")[2].splitlines()
        if line.strip()
    ]
    assert export.startswith("export ALIBABA_CLOUD_ACCESS_KEY_ID=")
    assert len(commands) == 3
    answers = [demo.run(f"{export}\n{command}") for command in commands]
    assert [answer.returncode for answer in answers] == [0, 0, 0], answers
    assert json.loads(answers[0].stdout)["TotalCount"] >= 5
    assert f"http://{demo.address}/verify/" in answers[1].stdout
    assert "Tom Active" in answers[2].stdout


def test_links_between_pages_lead_somewhere():
    pages = [*PAGES, ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
    broken = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_named_in_the_guide_exist(page):
    from message_contacts.settings import CONFIG, PREFIX, declarations  # noqa: PLC0415 - beside its only use

    known = {PREFIX + entry.name for entry in declarations()} | {PREFIX + CONFIG}
    named = set(re.findall(r"MESSAGE_CONTACTS_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8")))
    assert {name.removesuffix("_FILE") for name in named} <= known
