"""Binding, unbinding, deleting, and the same for many contacts, without a browser and without scripts."""

from __future__ import annotations

import pytest

from message_contacts.console.site import contact_bulk
from message_contacts.console.site.visit import Visit
from tests.console.conftest import Console
from tests.harness import open_api


@pytest.fixture
async def api(database_url):
    """A service with room for many contacts."""
    async with open_api(database_url, {"contacts_per_directory": 600}) as opened:
        yield opened


def boxes(answer, name="node"):
    return [box["value"] for box in answer.page.all("input", name=name) if box.get("type") in ("checkbox", "radio")]


def ticked(answer):
    return [box["value"] for box in answer.page.all("input", name="node") if "checked" in box.attributes]


def hidden(answer, name):
    return [box["value"] for box in answer.page.all("input", name=name, type="hidden")]


async def several(api, *names, **parameters):
    """Contacts, as the boxes of the table name them."""
    made = [await api.add_contact(Name=name, EmailAddress=f"{name}@example.com", **parameters) for name in names]
    return [f"{contact_id} {name}" for contact_id, name in zip(made, names, strict=True)]


async def finish(console, answer, **fields):
    """Press the button for as long as there is one."""
    pages = [answer]
    while hidden(answer, "contact"):
        given = {name: hidden(answer, name) for name in ("contact", "outcome", "node", "action", "retain")}
        answer = await console.submit("/contacts/bulk/run", given | fields)
        pages.append(answer)
    return pages


def outcomes(answer):
    """By contact, the outcome in a word."""
    rows = [" ".join(row.text.split()) for row in answer.page.all("tr")[1:]]
    return {row.split()[0]: row.partition(" ")[2] for row in rows}


async def test_the_picker_opens_folder_by_folder_and_keeps_what_is_ticked(api, console):
    contact = await api.add_contact()
    outer = await api.create_folder("outer")
    inner = await api.create_folder("inner", outer)
    member = await api.create_member("shop", inner)
    path = f"/contacts/{contact}/bind"

    closed = await console.open(path)
    assert outer in boxes(closed)
    assert inner not in boxes(closed)
    opened = await console.submit(path, {"opened": hidden(closed, "opened"), "toggle": outer, "node": outer})
    assert inner in boxes(opened)
    assert ticked(opened) == [outer]
    further = await console.submit(path, {"opened": hidden(opened, "opened"), "toggle": inner, "node": [outer, inner]})
    assert member in boxes(further)
    shut = await console.submit(path, {"opened": hidden(further, "opened"), "toggle": outer, "node": [outer, inner]})

    assert ticked(shut) == [inner, outer], "what is no longer in sight stays chosen"


async def test_members_are_found_by_name_and_by_id_and_bound(api, console):
    contact = await api.add_contact()
    shop, lab = await api.create_member("shop-one"), await api.create_member("lab-two")
    path = f"/contacts/{contact}/bind"

    found = await console.submit(path, {"member_query": "shop", "search": "yes", "node": lab})
    assert "1 member found" in found.page.text
    assert shop in boxes(found)
    assert lab in ticked(found)
    assert "1 member found" in (await console.submit(path, {"member_query": lab, "search": "yes"})).page.text
    bound = await console.submit(path, {"node": [shop, lab]})

    assert "Bound to 2 objects." in bound.page.text
    assert (await api.contact(contact))["Members"] == [shop, lab]


async def test_more_than_five_objects_are_bound_at_once(api, console):
    contact = await api.add_contact()
    folders = [await api.create_folder(f"folder-{number}") for number in range(7)]

    await console.submit(f"/contacts/{contact}/bind", {"node": folders})

    assert set((await api.contact(contact))["Members"]) == set(folders)


async def test_binding_to_nothing_or_to_what_is_not_there_says_so(api, console):
    contact = await api.add_contact()
    path = f"/contacts/{contact}/bind"

    assert "Tick at least one object." in (await console.submit(path, {})).page.text
    refused = await console.submit(path, {"node": "fd-0000000000"})

    assert "InvalidMember" in refused.page.all("div", role="alert")[0].text


async def test_what_is_bound_already_cannot_be_ticked_again(api, console):
    contact = await api.add_contact()
    folder = await api.create_folder("online")
    await api.call("AssociateMembers", ContactId=contact, Members=[folder])

    answer = await console.open(f"/contacts/{contact}/bind")

    assert folder not in boxes(answer)
    assert "bound already" in answer.page.text


async def test_one_folder_is_fetched_alone(api, console):
    folder = await api.create_folder("online")
    member = await api.create_member("shop", folder)

    answer = await console.open(f"/contacts/branch?folder={folder}")

    assert member in answer.html
    assert "<html" not in answer.html
    assert (await console.open("/contacts/branch?folder=fd-0000000000")).status == 404


async def test_unbinding_shows_who_would_be_left_and_then_does_it(api, console):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    contact = await api.add_verified_contact(folder)

    asked = await console.submit(f"/contacts/{contact}/unbind", {"node": folder})
    assert "1 member would be left with nobody" in asked.page.text
    assert "shop" in asked.page.text
    assert (await api.contact(contact))["Members"] == [folder]
    done = await console.submit(f"/contacts/{contact}/unbind", {"node": folder, "sure": "yes"})

    assert "The binding was removed." in done.page.text
    assert (await api.contact(contact))["Members"] == []


async def test_deleting_compares_both_ways_and_keeps_copies_unless_told_otherwise(api, console):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    contact = await api.add_verified_contact(folder)

    asked = await console.open(f"/contacts/{contact}/delete")
    assert "No member would be left with nobody because of this." in asked.page.text
    assert "1 member would be left with nobody" in asked.page.text
    done = await console.submit(f"/contacts/{contact}/delete", {})

    assert "The contact was deleted." in done.page.text
    assert len((await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"]) == 1


async def test_a_deletion_from_the_members_is_shown_until_it_is_done(api, console):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    contact = await api.add_verified_contact(folder)

    running = await console.submit(f"/contacts/{contact}/delete", {"retain": "no"})
    assert running.page.title == "Tom Being deleted"
    assert "Unbind" not in running.page.text
    assert (await console.open(f"/contacts/{contact}/deletion")).body == b"Deleting"
    await api.work()

    assert (await console.open(f"/contacts/{contact}/deletion")).body == b"gone"
    assert (await console.open(f"/contacts/{contact}")).status == 404


async def test_a_deletion_that_ends_while_its_page_is_read_is_looked_at_again(api, console, monkeypatch):
    contact = await api.add_verified_contact(await api.root_folder(), Name="Anna", EmailAddress="anna@example.com")
    await api.call("DeleteMessageContact", ContactId=contact, RetainContactInMembers="false")
    attempt = Visit.attempt

    async def slowly(visit, operation, *given, **version):
        if operation == "GetMessageContactDeletionStatus":
            await api.work()
        return await attempt(visit, operation, *given, **version)

    monkeypatch.setattr(Visit, "attempt", slowly)
    page = (await console.open(f"/contacts/{contact}")).page

    shown = page.one("p", role="status", **{"data-deletion": f"/console/contacts/{contact}/deletion"})
    assert "being taken out" in shown.text
    assert (await console.open(f"/contacts/{contact}/deletion")).body == b"gone"


async def test_contacts_are_narrowed_to_those_bound_to_an_object(api, console):
    folder = await api.create_folder("online")
    anna, _ = await several(api, "Anna", "Bob")
    await api.call("AssociateMembers", ContactId=anna.split()[0], Members=[folder])

    tree = await console.open("/contacts/by-binding?q=example")
    assert folder in boxes(tree)
    found = await console.submit("/contacts/by-binding", {"q": "example", "node": folder})

    assert "Anna" in found.page.one("table").text
    assert "Bob" not in found.page.one("table").text
    assert found.page.value("q") == "example"
    assert found.page.value("node_filter") == folder


async def test_many_are_bound_each_with_its_outcome(api, console):
    folder = await api.create_folder("online")
    contacts = await several(api, "Anna", "Bob", "Carl")
    await api.call("AssociateMembers", ContactId=contacts[1].split()[0], Members=[folder])
    await api.call("DeleteMessageContact", ContactId=contacts[2].split()[0])

    asked = await console.submit("/contacts/bulk", {"action": "bind", "contact": contacts})
    assert hidden(asked, "contact") == contacts
    opened = await console.submit("/contacts/bulk", {"action": "bind", "contact": contacts, "toggle": folder})
    assert hidden(opened, "contact") == contacts
    nothing = await console.submit("/contacts/bulk/run", {"action": "bind", "contact": contacts})
    assert "Tick at least one object." in nothing.page.text
    answer = await console.submit("/contacts/bulk/run", {"action": "bind", "contact": contacts, "node": folder})
    (*_, last) = await finish(console, answer)

    found = outcomes(last)
    assert found["Anna"] == "done Bound to 1 object."
    assert found["Bob"] == "nothing to do Was bound already."
    assert found["Carl"].startswith("failed This contact does not exist any more. EntityNotExists.Contact")
    assert "Finished. 1 changed · 1 with nothing to do · 1 failed" in last.page.text


async def test_many_are_unbound_from_what_any_of_them_is_bound_to(api, console):
    folder = await api.create_folder("online")
    contacts = await several(api, "Anna", "Bob")
    await api.call("AssociateMembers", ContactId=contacts[0].split()[0], Members=[folder])

    asked = await console.submit("/contacts/bulk", {"action": "unbind", "contact": contacts})
    assert boxes(asked) == [folder]
    answer = await console.submit("/contacts/bulk/run", {"action": "unbind", "contact": contacts, "node": folder})

    assert outcomes((await finish(console, answer))[-1]) == {
        "Anna": "done Unbound.",
        "Bob": "nothing to do Was not bound there.",
    }


async def test_many_are_asked_to_confirm(api, console):
    contacts = await several(api, "Anna", PhoneNumber="86-13900001234")
    bob = await api.add_verified_contact(Name="Bob", EmailAddress="bob@example.com")

    answer = await console.submit("/contacts/bulk/run", {"action": "verify", "contact": [*contacts, f"{bob} Bob"]})

    assert outcomes((await finish(console, answer))[-1]) == {
        "Anna": "done Sent to 2 addresses.",
        "Bob": "nothing to do No address waits for confirmation.",
    }


async def test_many_are_deleted_after_each_was_previewed(api, console):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    anna = await api.add_verified_contact(folder, Name="Anna", EmailAddress="anna@example.com")
    contacts = [f"{anna} Anna", *await several(api, "Bob")]

    asked = await console.submit("/contacts/bulk", {"action": "delete", "contact": contacts})
    assert "1 member would be left with nobody" in asked.page.text
    answer = await console.submit("/contacts/bulk/run", {"action": "delete", "contact": contacts, "retain": "no"})

    assert outcomes((await finish(console, answer))[-1]) == {
        "Anna": "done Is being taken out of the members.",
        "Bob": "done Is being taken out of the members.",
    }


async def test_more_than_ten_deletions_are_not_previewed_one_by_one(api, console):
    contacts = await several(api, *(f"Anna{chr(97 + number)}" for number in range(11)))

    asked = await console.submit("/contacts/bulk", {"action": "delete", "contact": contacts})

    assert "These are too many to look at each." in asked.page.text


async def test_an_action_goes_on_in_steps_until_every_contact_has_an_outcome(api, console, monkeypatch):
    monkeypatch.setattr(contact_bulk, "_SECONDS", 0.0)  # one contact a step
    contacts = await several(api, "Anna", "Bob", "Carl")

    answer = await console.submit("/contacts/bulk/run", {"action": "delete", "contact": contacts})
    assert "1 of 3 done" in answer.page.text
    pages = await finish(console, answer)

    assert len(pages) == 3
    assert len(outcomes(pages[-1])) == 3
    assert (await api.call("ListMessageContacts"))["TotalCount"] == 0


async def test_all_that_match_can_be_taken_instead_of_the_page(api, console):
    await several(api, *(f"Anna{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(130)))
    await several(api, "Bob")

    asked = await console.submit("/contacts/bulk", {"action": "verify", "everything": "yes", "q": "Anna"})

    assert len(hidden(asked, "contact")) == 130


async def test_without_contacts_or_an_action_there_is_nothing_to_ask(api, console):
    contacts = await several(api, "Anna")

    assert "Tick the contacts first." in (await console.submit("/contacts/bulk", {"action": "bind"})).page.text
    nonsense = await console.submit("/contacts/bulk", {"action": "paint", "contact": contacts})
    assert "Choose what to do with the contacts." in nonsense.page.text


async def test_the_target_of_a_form_leads_back_when_it_is_opened(api, console):
    contact = (await several(api, "Anna"))[0].split()[0]

    for step in ("verify", "cancel-update", "unblock", "unbind"):
        assert (await console.open(f"/contacts/{contact}/{step}")).page.title.startswith("Anna")
    for path in ("/contacts/bulk", "/contacts/bulk/run"):
        assert (await console.open(path)).page.title == "Contacts"


async def test_outcomes_that_nobody_wrote_are_left_out(api, console):
    contacts = await several(api, "Anna")

    answer = await console.submit(
        "/contacts/bulk/run", {"action": "verify", "contact": contacts, "outcome": ["nonsense", "[1,2]", '{"a":1}']}
    )

    assert len(outcomes(answer)) == 1


async def test_a_key_that_may_not_change_is_told_which_permission_is_missing(api):
    contacts = await several(api, "Anna")
    await api.call("CreateUser", "2015-05-01", UserName="reader")
    await api.call(
        "AttachPolicyToUser", "2015-05-01", PolicyName="ReadOnlyAccess", PolicyType="System",
        UserName="reader",
    )  # fmt: skip
    reader = await api.as_user("reader")
    console = Console(api)
    await console.sign_in(reader.key_id, reader.secret)

    answer = await console.submit("/contacts/bulk/run", {"action": "delete", "contact": contacts})

    assert "resourcemanager:DeleteMessageContact" in outcomes(answer)["Anna"]
    assert "Anna" in (await console.open("/contacts")).page.one("table").text
