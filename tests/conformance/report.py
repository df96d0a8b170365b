"""A pytest plugin that says at the end of a run which clients took part, and why others did not."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.conformance.roster import ROSTER, TERRAFORM

_TERRAFORM_TEST = "tests/conformance/test_terraform.py::"
_TEST = re.compile(r"tests/conformance/test_clients\.py::\w+\[(?P<client>.+):(?P<variant>[^:]+)\]")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for every client, if this run was about clients at all."""
    outcomes: dict[str, Counter[str]] = {}
    terraform: Counter[str] = Counter()
    failed: dict[str, list[str]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            test = _TEST.search(report.nodeid)
            if report.nodeid.startswith(_TERRAFORM_TEST) and (report.when == "call" or outcome != "passed"):
                terraform[outcome] += 1
            if test and (report.when == "call" or outcome != "passed"):
                outcomes.setdefault(test["client"], Counter())[outcome] += 1
                if outcome != "passed":
                    failed.setdefault(test["client"], []).append(test["variant"])
    if not outcomes and not terraform:
        return
    terminalreporter.section("the vendor's clients")
    width = max(len(client.name) for client in ROSTER)
    for client in ROSTER:
        counted = outcomes.get(client.name)
        absence = client.toolchain.absence()
        if counted:
            ways = f"{counted['passed']} of {len(client.variants)} ways of calling lived the whole life of a contact"
            what = ways + (f"; FAILED: {', '.join(failed[client.name])}" if client.name in failed else "")
        else:
            what = f"did not take part: {absence or 'not selected'}"
        terminalreporter.line(f"{client.name:<{width}}  {client.toolchain.name:<9}  {what}")
    what = (
        f"{terraform['passed']} of {terraform.total()} configurations lived"
        if terraform
        else f"did not take part: {TERRAFORM.absence() or 'not selected'}"
    )
    terminalreporter.line(f"{'terraform-provider-alicloud':<{width}}  {TERRAFORM.name:<9}  {what}")
