"""Samples as programs that really run: written to files, each language's in one process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from message_contacts.console.site.samples.call import KEY_ID, KEY_SECRET, Argument, Endpoint, SampleCall
from message_contacts.console.site.samples.catalogue import samples
from message_contacts.operations.catalogue import REGISTRY
from tests.conformance.roster import NODE

FOLDER = Path(__file__).parent
#: Seconds that all samples of one language may take.
_PATIENCE = 300


@dataclass(frozen=True)
class Outcome:
    """What came of a sample: an answer, or the code of an error."""

    answer: dict[str, Any] | None
    code: str = ""


@dataclass(frozen=True)
class Place:
    """Where samples call, and as whom."""

    url: str
    key_id: str
    key_secret: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables in which a sample finds its key, and no proxy."""
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return {**inherited, KEY_ID: self.key_id, KEY_SECRET: self.key_secret}


def call_of(url: str, version: str, action: str, **arguments: Argument) -> SampleCall:
    """A call of an operation of the registry."""
    return SampleCall(
        operation=REGISTRY.find(version, action), version=version, arguments=arguments, endpoint=Endpoint.of(url)
    )


def text_of(call: SampleCall, key: str) -> str:
    """The sample in one language."""
    [text] = [sample.text for sample in samples(call) if sample.key == key]
    assert text is not None
    return text


def run_all(place: Place, key: str, calls: Sequence[SampleCall], folder: Path) -> list[Outcome]:
    """Run the samples of these calls in one language, one after the other."""
    if key in ("python", "python-common"):
        return _in_one_process(place, [sys.executable, str(FOLDER / "run_samples.py")], key, calls, folder, more={})
    if key == "node":
        NODE.make_ready()
        modules = {"NODE_PATH": str(NODE.folder / NODE.products)}
        return _in_one_process(place, ["node", str(FOLDER / "run_samples.cjs")], key, calls, folder, more=modules)
    return [run_script(place, text_of(call, key), folder) for call in calls]


def run_script(place: Place, text: str, folder: Path) -> Outcome:
    """Run a script of bash that prints an answer, or an error's body."""
    path = folder / "sample.sh"
    path.write_text(text, encoding="utf-8")
    # The project's own command is beside the Python that runs the tests.
    environment = place.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C"}
    done = subprocess.run(
        ["bash", str(path)], env=environment, capture_output=True, timeout=_PATIENCE, check=False, cwd=folder
    )
    output = done.stdout.decode()
    if not output:
        # Our command tells errors in words, `Error: Code (HTTP 400)`, and the vendor's in lines, `ErrorCode: Code`.
        code = re.search(r"^(?:Error|ErrorCode): (\S+)", done.stderr.decode(), re.MULTILINE)
        assert code, done.stderr.decode()
        return Outcome(None, code[1])
    body = json.loads(output)
    return Outcome(None, body["Code"]) if "Code" in body and "HostId" in body else Outcome(body)


def _in_one_process(
    place: Place,
    command: Sequence[str],
    key: str,
    calls: Sequence[SampleCall],
    folder: Path,
    *,
    more: Mapping[str, str],
) -> list[Outcome]:
    paths = []
    for position, call in enumerate(calls):
        path = folder / f"sample{position}.{'cjs' if key == 'node' else 'py'}"
        path.write_text(text_of(call, key), encoding="utf-8")
        paths.append(str(path))
    done = subprocess.run(
        [*command, *paths],
        env={**place.environment, **more},
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
        cwd=folder,
    )
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(calls), done.stderr.decode()
    return [Outcome(**json.loads(line)) for line in lines]
