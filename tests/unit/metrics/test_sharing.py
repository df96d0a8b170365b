"""Numbers of several processes: added up, also of those that have ended, and never lower than before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from message_contacts.metrics import Metrics, Numbers, Sample, families
from message_contacts.metrics.process import process_numbers
from message_contacts.metrics.sharing import SharedNumbers


def calls(count: int, memory: int = 7) -> Numbers:
    metrics = Metrics()
    for _ in range(count):
        metrics.request("GetThing", "OK", 0.003)
    numbers = metrics.numbers()
    numbers.add(Numbers([Sample(families.PROCESS_MEMORY, (), memory)]))
    return numbers


def counted(numbers: Numbers, family: families.Family = families.REQUESTS) -> object:
    found = [sample.value for sample in numbers.samples() if sample.family is family]
    return found[0] if found else None


def test_each_process_is_told_what_the_others_have_counted(tmp_path: Path):
    one, other, third = (SharedNumbers(tmp_path / "numbers") for _ in range(3))
    one.write(calls(1))
    other.write(calls(20))
    other.write(calls(30))
    assert counted(one.others()) == 30
    assert counted(other.others()) == 1
    assert counted(third.others()) == 31
    assert counted(third.others(), families.PROCESS_MEMORY) == 14


def test_a_process_that_has_ended_still_counts_without_its_memory(tmp_path: Path):
    one, other = SharedNumbers(tmp_path), SharedNumbers(tmp_path)
    other.write(calls(20))
    other.close()
    assert counted(one.others()) == 20
    assert counted(one.others(), families.PROCESS_MEMORY) is None


def test_a_process_that_was_killed_still_counts(tmp_path: Path):
    program = (
        "import sys, os, signal; from pathlib import Path\n"
        "from tests.unit.metrics.test_sharing import calls, SharedNumbers\n"
        "shared = SharedNumbers(Path(sys.argv[1])); shared.write(calls(20)); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(__file__).parents[3])
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, env=os.environ | {"PYTHONPATH": root}, check=False
    )
    assert ended.returncode == -9
    assert counted(SharedNumbers(tmp_path).others()) == 20


def test_those_that_have_ended_are_put_together_and_take_one_file(tmp_path: Path):
    for _ in range(5):
        ended = SharedNumbers(tmp_path)
        ended.write(calls(2))
        ended.close()
    living = SharedNumbers(tmp_path)
    living.write(calls(1))
    newest = SharedNumbers(tmp_path)
    assert counted(newest.others()) == 11
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert len(list(tmp_path.glob("*.alive"))) == 2


def test_others_cannot_read_the_folder(tmp_path: Path):
    SharedNumbers(tmp_path / "numbers")
    assert (tmp_path / "numbers").stat().st_mode & 0o777 == 0o700


def test_a_process_knows_what_it_uses():
    numbers = process_numbers()
    if sys.platform != "linux":
        pytest.fail("the figures come from /proc")
    assert counted(numbers, families.PROCESS_MEMORY) > 5_000_000
    assert counted(numbers, families.PROCESS_CPU) > 0
    assert counted(numbers, families.PROCESS_FILES) >= 3
    assert counted(numbers, families.PROCESS_START) > 1_600_000_000
