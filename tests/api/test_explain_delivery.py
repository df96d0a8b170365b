"""ExplainDelivery: every rule with its outcome, the first that stands against it being the answer."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.delivery.publishing import NO_MESSAGE, NO_TARGET
from message_contacts.errors import ErrorDefinition
from message_contacts.operations import explain
from message_contacts.operations.reach_parameters import INVALID_MESSAGE_TYPE, INVALID_SEVERITY
from message_contacts.verification.challenge import Visitor
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER, directory_of, verified_contact
from tests.assertions import assert_own_error
from tests.harness import Api

OURS = "2026-11-01"
RULES = [
    "exists",
    "in-effect",
    "not-being-deleted",
    "subscribed",
    "has-address",
    "address-in-force",
    "not-suppressed",
    "not-opted-out",
    "channel-allowed",
    "country-allowed",
    "not-quiet",
]


async def explained(api: Api, target: str, **parameters: Any) -> list[dict[str, Any]]:
    """Explanations of a security message about a target."""
    answer = await api.call(
        "ExplainDelivery", OURS, **{"MessageType": "SecurityMessage", "Target": target, **parameters}
    )
    found: list[dict[str, Any]] = answer["Explanations"]
    return found


def outcomes(entry: dict[str, Any]) -> dict[str, str]:
    """Rules that did not pass, with what they said."""
    return {rule["Rule"]: rule["Outcome"] for rule in entry["Rules"] if rule["Outcome"] != "passed"}


async def test_a_contact_that_gets_it_passes_every_rule(api: Api) -> None:
    folder = await api.create_folder("Sales")
    member = await api.create_member("Shop", folder)
    anna = await verified_contact(api, "Anna", folder)

    entry, phone = await explained(api, member, ContactId=anna)

    assert entry == {
        "Outcome": "passed",
        "ContactId": anna,
        "Name": "Anna",
        "Channel": "email",
        "Address": "anna@example.com",
        "Reasons": [{"Because": "Folder", "ObjectId": folder}],
        "Rules": [{"Rule": rule, "Outcome": "passed"} for rule in RULES],
        "HeldBackBy": [],
        "SharesAddressWith": [],
    }
    assert (phone["Channel"], phone["Outcome"], "Address" in phone) == ("sms", "no-address", False)


async def test_every_rule_against_a_contact_is_told_and_the_first_decides(api: Api) -> None:
    member = await api.create_member("Shop")
    tom = await api.add_contact(MessageTypes=["FaultMessage"])

    (entry,) = await explained(api, member, Address="TOM@example.com")

    assert entry["ContactId"] == tom
    assert entry["Outcome"] == "not-in-effect"
    assert outcomes(entry) == {
        "in-effect": "not-in-effect",
        "subscribed": "not-subscribed",
        "address-in-force": "not-verified",
    }


async def test_an_address_that_waits_to_be_confirmed_is_not_in_force(api: Api) -> None:
    member = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", member)
    await api.call("UpdateMessageContact", ContactId=anna, EmailAddress="new@example.com")

    (waiting,) = await explained(api, member, Address="new@example.com")
    (in_force,) = await explained(api, member, Address="anna@example.com")

    assert (waiting["Outcome"], waiting["Address"]) == ("not-verified", "new@example.com")
    assert in_force["Outcome"] == "passed"


async def test_an_address_that_nobody_has_is_no_contacts(api: Api) -> None:
    member = await api.create_member("Shop")

    for given in ({"Address": "nobody@example.com"}, {"ContactId": "c-zzzzzzzzzzzzzzzz"}):
        assert await explained(api, member, **given) == [
            {
                "Outcome": "no-such-contact",
                "Reasons": [],
                "Rules": [{"Rule": "exists", "Outcome": "no-such-contact"}],
                "HeldBackBy": [],
                "SharesAddressWith": [],
            }
        ]


async def test_those_who_share_an_address_are_named(api: Api) -> None:
    member = await api.create_member("Shop")
    anna, ben = [await verified_contact(api, name, member) for name in ("Anna", "Ben")]
    await api.call("UpdateMessageContact", ContactId=ben, EmailAddress="ANNA@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=ben, EmailAddress="ANNA@example.com")
    await api.work()
    await _confirm(api, "ANNA@example.com")

    both = await explained(api, member, Address="anna@example.com")

    assert [(entry["ContactId"], entry["SharesAddressWith"]) for entry in both] == [(anna, [ben]), (ben, [anna])]
    # Who does not get it, shares nothing.
    await api.call("UpdateMessageContact", ContactId=ben, MessageTypes=["FaultMessage"])
    entry, _ = await explained(api, member, ContactId=anna)
    assert entry["SharesAddressWith"] == []


async def _confirm(api: Api, address: str) -> None:
    await api.service.verification.confirm(await api.token_sent_to(address), Visitor("198.51.100.4", ""))


async def test_a_deleted_contact_is_explained_by_its_copies(api: Api) -> None:
    member = await api.create_member("Shop")
    api.clock.advance(1)
    anna = await verified_contact(api, "Anna", await api.root_folder())
    await api.call("DeleteMessageContact", ContactId=anna)
    api.clock.advance(1)
    late = await api.create_member("Late")

    kept, _ = await explained(api, member, ContactId=anna)
    gone, _ = await explained(api, late, ContactId=anna)

    assert (kept["Outcome"], kept["Reasons"][0]["Because"]) == ("passed", "Retained")
    assert kept["DetachedContactId"].startswith("dc-")
    assert gone["Outcome"] == "not-in-effect"


async def test_about_a_folder_or_the_directory_everybody_in_it_counts(api: Api) -> None:
    folder = await api.create_folder("Sales")
    member = await api.create_member("Shop", await api.create_folder("North", folder))
    elsewhere = await api.create_folder("Tech")
    anna = await verified_contact(api, "Anna", member)
    directory = (await directory_of(api))["ResourceDirectoryId"]

    for target, outcome in ((folder, "passed"), (directory, "passed"), (elsewhere, "not-in-effect")):
        entry, _ = await explained(api, target, ContactId=anna)
        assert entry["Outcome"] == outcome


async def test_a_published_message_is_explained_with_its_own_type_and_targets(api: Api) -> None:
    member = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", member)
    published = await api.call(
        "PublishMessage", OURS, MessageType="FaultMessage", Subject="Down", Text="It is down.", Targets=[member]
    )

    answer = await api.call("ExplainDelivery", OURS, MessageId=published["MessageId"], ContactId=anna)

    # There is nobody else: Anna will get it although she does not have the type.
    assert [entry["Outcome"] for entry in answer["Explanations"]] == ["passed", "not-subscribed"]
    assert outcomes(answer["Explanations"][0]) == {"subscribed": "not-subscribed", "route": "nobody-subscribed"}
    assert "Delivery" not in answer["Explanations"][0]


async def test_another_tenants_contacts_are_nobodys(api: Api) -> None:
    anna = await verified_contact(api, "Anna", await api.root_folder())
    other = await api.other_tenant()

    (entry,) = await explained(other, await other.root_folder(), ContactId=anna)

    assert entry["Outcome"] == "no-such-contact"


ASKED = {"MessageType": "FaultMessage", "ContactId": "c-zzzzzzzzzzzzzzzz"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Target": NO_FOLDER, "ContactId": "c-z"}, explain.MISSING_MESSAGE_TYPE),
        (ASKED, explain.MISSING_TARGET),
        ({"MessageType": "FaultMessage", "Target": NO_FOLDER}, explain.MISSING_CONTACT_OR_ADDRESS),
        ({**ASKED, "Target": NO_FOLDER, "Address": "a@b.c"}, explain.INVALID_CONTACT_AND_ADDRESS),
        ({**ASKED, "Target": NO_FOLDER, "MessageId": "m-1"}, explain.INVALID_MESSAGE_ID),
        ({**ASKED, "Target": "x"}, explain.INVALID_TARGET),
        ({**ASKED, "Target": NO_MEMBER}, NO_TARGET),
        ({**ASKED, "Target": NO_FOLDER, "MessageType": "x"}, INVALID_MESSAGE_TYPE),
        ({**ASKED, "Target": NO_FOLDER, "Severity": "x"}, INVALID_SEVERITY),
        ({**ASKED, "Target": NO_FOLDER, "ContactId": "x"}, errors.INVALID_PARAMETER_CONTACT_ID),
        ({"MessageId": "m-1", "Address": "a@b.c"}, NO_MESSAGE),
    ],
)
async def test_a_call_is_refused_with_the_error_of_its_table(
    api: Api, given: dict[str, Any], expected: ErrorDefinition
) -> None:
    assert_own_error(await api.error("ExplainDelivery", OURS, **given), expected)
