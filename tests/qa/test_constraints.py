"""constraints.txt pins what the project installs, and nothing else than versions."""

import re
import tomllib
from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = {canonicalize_name(found.name): found.version for found in distributions()}
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def needed():
    """Names of everything that pyproject.toml asks for, and what that asks for in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    waiting = [Requirement(text) for text in project["project"]["dependencies"]]
    waiting += [Requirement(text) for group in project["dependency-groups"].values() for text in group]
    found = {}
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in found:
                continue
            found[key] = True
            for text in requires(requirement.name) or ():
                inner = Requirement(text)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return {name for name, _ in found}


def test_every_line_is_a_name_and_one_version():
    assert [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_]+", line)] == []


def test_everything_that_the_project_needs_is_pinned():
    pinned = {canonicalize_name(line.partition("==")[0]) for line in LINES}
    assert needed() - pinned == set(), "run `make pin`"
