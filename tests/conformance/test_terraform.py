"""Terraform with the vendor's provider, unmodified, makes, changes and destroys what the service keeps.

Takes part where both programs are on the PATH, see `conftest.py`: the provider is in no package registry.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from message_contacts.console.site.samples.call import Argument, Endpoint, SampleCall
from message_contacts.console.site.samples.terraform import RESOURCES, resource
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RAM
from tests.conformance.confirming import Person
from tests.conformance.driving import VERSION, Driver
from tests.conformance.roster import ROSTER, TERRAFORM
from tests.conformance.service import RunningService, running_service

#: Goes before resources. The provider takes the endpoint of STS from its configuration only.
PROVIDER = """
terraform {{
  required_providers {{
    alicloud = {{ source = "aliyun/alicloud" }}
  }}
}}
provider "alicloud" {{
  protocol = "HTTP"
  endpoints {{
    sts = "{endpoint}"
  }}
}}
"""
#: What a plan ends with: nothing to change, or something.
SAME, DIFFERENT = 0, 2
_PLAIN = ("-no-color", "-input=false")
#: Seconds that one command may take.
_PATIENCE = 120


class Workspace:
    """A folder with a configuration and its state."""

    def __init__(self, folder: Path, service: RunningService, provider: str) -> None:
        self._folder = folder
        self._endpoint = service.endpoint
        home = folder / "home"
        home.mkdir()
        overrides = json.dumps({"aliyun/alicloud": str(Path(provider).parent)}).replace('": "', '" = "')
        (home / "terraform.rc").write_text(
            f"provider_installation {{\n  dev_overrides {overrides}\n  direct {{}}\n}}\n", encoding="utf-8"
        )
        assert service.key.access_key_id
        assert service.key.access_key_secret
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": str(home / "terraform.rc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": service.key.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": service.key.access_key_secret,
            "ALIBABA_CLOUD_REGION": "cn-hangzhou",
            "ALIBABA_CLOUD_ACCOUNT_TYPE": "International",
            **{
                f"ALIBABA_CLOUD_ENDPOINT_{product}": service.endpoint
                for product in ("RESOURCEDIRECTORYMASTER", "RESOURCEMANAGER", "RAM")
            },
        }

    def write(self, resources: str) -> None:
        """The configuration from now on: these, by the provider."""
        self.write_whole(PROVIDER.format(endpoint=self._endpoint) + resources)

    def write_whole(self, text: str) -> None:
        """The configuration from now on."""
        (self._folder / "main.tf").write_text(text, encoding="utf-8")

    def apply(self) -> None:
        """Make it so."""
        self.run("apply", "-auto-approve", *_PLAIN)

    def plan(self) -> int:
        """Whether anything is not as it should be."""
        return self.run("plan", "-detailed-exitcode", *_PLAIN, good=(SAME, DIFFERENT))

    def destroy(self) -> None:
        """Take everything away."""
        self.run("destroy", "-auto-approve", *_PLAIN)

    def forget(self, address: str) -> None:
        """Leave a resource as it is."""
        self.run("state", "rm", address)

    def state(self, address: str) -> dict[str, Any]:
        """What Terraform knows of a resource."""
        shown = json.loads(self._run("show", "-json").stdout)
        entries = shown["values"]["root_module"]["resources"]
        found: dict[str, Any] = next(entry["values"] for entry in entries if entry["address"] == address)
        return found

    def run(self, *words: str, good: tuple[int, ...] = (0,)) -> int:
        """One command; its status, which has to be a good one."""
        done = self._run(*words)
        assert done.returncode in good, done.stdout + done.stderr
        return done.returncode

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *words],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def operator(service: RunningService) -> Iterator[Driver]:
    client = next(client for client in ROSTER if client.name == "terraform-style")
    with Driver(client, client.variants[0], service.endpoint, service.key) as driver:
        yield driver


@pytest.fixture
def workspace(service: RunningService, tmp_path: Path) -> Workspace:
    provider = shutil.which(TERRAFORM.tools[1])
    assert provider
    return Workspace(tmp_path, service, provider)


def contact(**arguments: Any) -> str:
    """A configuration with one contact, `tom`."""
    given = {"message_contact_name": "tom", "title": "CEO", "message_types": ["SecurityMessage"], **arguments}
    lines = [f"  {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items()]
    return "\n".join(['resource "alicloud_resource_manager_message_contact" "tom" {', *lines, "}\n"])


def asked(operator: Driver, action: str, version: str = VERSION, **parameters: Any) -> dict[str, Any]:
    """What the service says."""
    answer = operator.call(action, parameters, version=version)
    assert answer["ok"], answer
    body: dict[str, Any] = answer["body"]
    return body


def test_contact_lives_as_a_resource(workspace: Workspace, service: RunningService, operator: Driver) -> None:
    workspace.write(contact(email_address="tom@example.com"))
    workspace.apply()
    assert workspace.plan() == SAME
    tom = workspace.state("alicloud_resource_manager_message_contact.tom")
    assert tom["status"] == "Verifying"

    workspace.write(
        contact(
            message_contact_name="王小明",
            email_address="tom@example.com",
            phone_number="86-13900001234",
            title="TechnicalDirector",
            message_types=["ProductMessage", "FaultMessage"],
        )
    )
    assert workspace.plan() == DIFFERENT
    workspace.apply()
    assert workspace.plan() == SAME
    shown = asked(operator, "GetMessageContact", ContactId=tom["id"])["Contact"]
    assert (shown["Name"], shown["Title"], shown["PhoneNumber"]) == ("王小明", "TechnicalDirector", "86-13900001234")
    assert sorted(shown["MessageTypes"]) == ["FaultMessage", "ProductMessage"]

    asked(operator, "SendEmailVerificationForMessageContact", ContactId=tom["id"], EmailAddress="tom@example.com")
    Person(operator, service.base_url).open_link("tom@example.com").press_button()
    assert workspace.plan() == SAME

    # The old address of a verified contact is shown until the new one is confirmed: docs/differences.md.
    workspace.write(contact(email_address="ming@example.org"))
    workspace.apply()
    assert workspace.plan() == DIFFERENT
    workspace.apply()
    asked(operator, "SendEmailVerificationForMessageContact", ContactId=tom["id"], EmailAddress="ming@example.org")
    Person(operator, service.base_url).open_link("ming@example.org").press_button()
    assert workspace.plan() == SAME

    workspace.forget("alicloud_resource_manager_message_contact.tom")
    workspace.run("import", *_PLAIN, "alicloud_resource_manager_message_contact.tom", tom["id"])
    assert workspace.plan() == SAME
    workspace.destroy()
    answer = operator.call("GetMessageContact", {"ContactId": tom["id"]})
    assert answer["code"] == "EntityNotExists.Contact"


def test_directory_lives_as_resources(workspace: Workspace, operator: Driver) -> None:
    def configuration(name: str, **tags: str) -> str:
        given = "\n".join(f"    {key} = {json.dumps(value)}" for key, value in tags.items())
        return f"""
resource "alicloud_resource_manager_folder" "outer" {{
  folder_name = "{name}"
  tags = {{
{given}
  }}
}}
resource "alicloud_resource_manager_folder" "inner" {{
  folder_name      = "inner"
  parent_folder_id = alicloud_resource_manager_folder.outer.id
}}
resource "alicloud_resource_manager_account" "member" {{
  display_name = "{name}"
  folder_id    = alicloud_resource_manager_folder.inner.id
  tags = {{
{given}
  }}
}}
data "alicloud_resource_manager_folders" "all" {{}}
data "alicloud_resource_manager_accounts" "all" {{}}
data "alicloud_resource_manager_resource_directories" "mine" {{}}
"""

    for text in (
        configuration("first", team="a+b *~'()", stage="test"),
        configuration("second", team="other", cost="7"),
        configuration("second"),
    ):
        workspace.write(text)
        workspace.apply()
        assert workspace.plan() == SAME
    member = workspace.state("alicloud_resource_manager_account.member")
    account = asked(operator, "GetAccount", AccountId=member["id"], IncludeTags=True)["Account"]
    assert (account["DisplayName"], account["Tags"]) == ("second", [])
    outer = workspace.state("alicloud_resource_manager_folder.outer")
    workspace.destroy()
    deletion = asked(operator, "GetAccountDeletionStatus", AccountId=member["id"])["RdAccountDeletionStatus"]
    assert deletion["Status"] == "Success"
    assert operator.call("GetAccount", {"AccountId": member["id"]})["code"] == "EntityNotExists.Account"
    assert operator.call("GetFolder", {"FolderId": outer["id"]})["code"] == "EntityNotExists.Folder"


def test_users_and_policies_live_as_resources(workspace: Workspace, operator: Driver) -> None:
    def configuration(action: str, status: str) -> str:
        return f"""
resource "alicloud_ram_user" "user" {{
  name  = "alice"
  force = true
}}
resource "alicloud_ram_access_key" "key" {{
  user_name = alicloud_ram_user.user.name
  status    = "{status}"
}}
data "alicloud_ram_policy_document" "document" {{
  version = "1"
  statement {{
    effect   = "Allow"
    action   = ["{action}"]
    resource = ["*"]
    condition {{
      operator = "IpAddress"
      variable = "acs:SourceIp"
      values   = ["127.0.0.0/8"]
    }}
  }}
}}
resource "alicloud_ram_policy" "policy" {{
  policy_name     = "reader"
  policy_document = data.alicloud_ram_policy_document.document.document
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  force           = true
}}
resource "alicloud_ram_user_policy_attachment" "attachment" {{
  policy_name = alicloud_ram_policy.policy.policy_name
  policy_type = "Custom"
  user_name   = alicloud_ram_user.user.name
}}
data "alicloud_account" "mine" {{}}
data "alicloud_ram_users" "all" {{}}
data "alicloud_ram_policies" "all" {{}}
"""

    # A policy has five versions at most: the sixth takes the place of the oldest.
    for number in range(6):
        workspace.write(configuration(f"ram:Get{number}*", "Active" if number % 2 else "Inactive"))
        workspace.apply()
    assert workspace.plan() == SAME
    versions = asked(operator, "ListPolicyVersions", RAM, PolicyName="reader", PolicyType="Custom")["PolicyVersions"]
    assert sorted(entry["VersionId"] for entry in versions["PolicyVersion"]) == ["v2", "v3", "v4", "v5", "v6"]
    # What Terraform does not know of goes with the user all the same: `force`.
    asked(operator, "CreateAccessKey", RAM, UserName="alice")
    workspace.destroy()
    assert operator.call("GetUser", {"UserName": "alice"}, version=RAM)["code"] == "EntityNotExist.User"


_POLICY = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ram:Get*", "Resource": "*"}]}'
#: What the samples of the explorer are made of; there are the user bob and the policy writer.
SAMPLED: Mapping[str, Mapping[str, Argument]] = {
    "AddMessageContact": {
        "Name": "tom",
        "EmailAddress": "tom@example.com",
        "Title": "CEO",
        "MessageTypes": ["AccountExpenses"],
    },
    "CreateFolder": {"FolderName": "sales"},
    "CreateResourceAccount": {"DisplayName": "Dev", "Tag": [{"Key": "k", "Value": "v"}]},
    "EnableResourceDirectory": {},
    "InitResourceDirectory": {},
    "CreateUser": {"UserName": "alice", "DisplayName": "Alice", "Comments": 'it\'s "x" ${y}'},
    "CreatePolicy": {"PolicyName": "reader", "PolicyDocument": _POLICY, "Description": "reads"},
    "CreateAccessKey": {"UserName": "bob"},
    "AttachPolicyToUser": {"PolicyName": "writer", "PolicyType": "Custom", "UserName": "bob"},
}


@pytest.mark.parametrize(("version", "action"), RESOURCES)
def test_sample_of_the_explorer_is_applied(
    workspace: Workspace, service: RunningService, operator: Driver, version: str, action: str
) -> None:
    asked(operator, "CreateUser", RAM, UserName="bob")
    asked(operator, "CreatePolicy", RAM, PolicyName="writer", PolicyDocument=_POLICY)
    if action in ("EnableResourceDirectory", "InitResourceDirectory"):
        asked(operator, "DestroyResourceDirectory")
    text = resource(
        SampleCall(
            operation=REGISTRY.find(version, action),
            version=version,
            arguments=SAMPLED[action],
            endpoint=Endpoint.of(service.base_url),
        )
    )
    assert text is not None
    workspace.write_whole(text)
    workspace.apply()
    assert workspace.plan() == SAME
    workspace.destroy()
