"""The project's own command against a running service: whatever the API takes can be given to it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner

from message_contacts.cli.main import commands
from message_contacts.operations.message_parameters import HTML_LENGTH, MARKDOWN_LENGTH, TEXT_LENGTH
from tests.conformance.confirming import visit
from tests.conformance.service import running_service


def test_the_command_publishes_texts_of_the_greatest_length(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_service(tmp_path_factory.mktemp("service")) as service:

        def call(*words: str) -> dict[str, Any]:
            key = {
                "ALIBABA_CLOUD_ACCESS_KEY_ID": service.key.access_key_id,
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": service.key.access_key_secret,
            }
            result = CliRunner().invoke(commands, ["api", *words, "--endpoint", service.base_url], env=key)
            assert result.exit_code == 0, result.output[:500]
            answer: dict[str, Any] = json.loads(result.stdout)
            return answer

        # Somebody gets what is published: a message that reaches nobody would be an incident.
        root = call("GetResourceDirectory")["ResourceDirectory"]["RootFolderId"]
        wanted = (
            "--Name",
            "tom",
            "--EmailAddress",
            "tom@example.com",
            "--Title",
            "CEO",
            "--MessageTypes",
            "FaultMessage",
        )
        contact = call("AddMessageContact", *wanted)["Contact"]["ContactId"]
        call("AssociateMembers", "--ContactId", contact, "--Members", root)
        address = ("--ContactId", contact, "--EmailAddress", "tom@example.com")
        call("SendEmailVerificationForMessageContact", *address)
        [mail] = call("ListInboxMessages", "--WaitSeconds", "20")["Messages"]
        link = re.search(r"https?://\S+/verify/\S+", mail["Text"])
        assert link
        assert visit("POST", link[0], "")[0] == 200

        wording = ("--MessageType", "FaultMessage", "--Subject", "Full & 100 %", "--Targets", root)
        for given in (
            {"Text": "磁" * TEXT_LENGTH},
            {"Text": "a b+c%20&d=é\n", "Html": "<p>磁盘已满</p>" * (HTML_LENGTH // 11)},
            {"Text": "short", "Markdown": ("磁盘 *已满*。" * 400 + "\n\n") * (MARKDOWN_LENGTH // 4_000)},
        ):
            options = [word for name, value in given.items() for word in (f"--{name}", value)]
            message_id = call("PublishMessage", *wording, *options)["MessageId"]
            shown = call("GetMessage", "--MessageId", message_id)["Message"]
            assert {name: shown[name] for name in given} == given
            assert shown["Subject"] == "Full & 100 %"
