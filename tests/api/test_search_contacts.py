"""SearchMessageContacts: what is found, in which order, and page by page while contacts come and go."""

from __future__ import annotations

import itertools
from base64 import urlsafe_b64encode

import orjson
import pytest

from tests.conftest import ENGINES
from tests.harness import open_api

OURS = "2026-11-01"
TYPES = ["SecurityMessage", "FaultMessage", "AccountExpenses"]

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


@pytest.fixture
async def many(database_url):
    """A service whose directory has room for many contacts."""
    async with open_api(database_url, {"contacts_per_directory": 500}) as opened:
        yield opened


async def search(api, **parameters):
    return await api.call("SearchMessageContacts", OURS, **parameters)


async def names(api, **parameters):
    return [contact["Name"] for contact in (await search(api, **parameters))["Contacts"]]


async def every_page(api, step="NextToken", token=None, **parameters):
    """The pages from a token on, in the order in which they are reached."""
    pages = []
    while True:
        page = await search(api, NextToken=token, **parameters)
        pages.append([contact["Name"] for contact in page["Contacts"]])
        token = page.get(step)
        if token is None:
            return pages


async def some_people(api):
    """Five people, some confirmed, some bound."""
    folder = await api.create_folder("online")
    member = await api.create_member("shop", folder)
    await api.add_verified_contact(folder, Name="zoe", EmailAddress="Zoe@Example.com", Title="CEO")
    api.clock.advance(1)
    await api.add_contact(Name="Anna", EmailAddress="anna_b@example.org", MessageTypes=["FaultMessage"])
    api.clock.advance(1)
    await api.add_verified_contact(
        member, Name="Bob", EmailAddress="bob@example.com", PhoneNumber="86-13900001234", Title="Other"
    )
    api.clock.advance(1)
    await api.add_contact(
        Name="张三", EmailAddress="annaxb@example.org", MessageTypes=["FaultMessage", "SecurityMessage"]
    )
    api.clock.advance(1)
    root = await api.root_folder()
    carl = await api.add_verified_contact(root, Name="carl", EmailAddress="carl@example.com")
    await api.call("UpdateMessageContact", ContactId=carl, EmailAddress="new-carl@example.net")
    return folder, member


async def test_without_anything_asked_all_contacts_come_by_creation_date(api):
    await some_people(api)

    answer = await search(api)

    assert [contact["Name"] for contact in answer["Contacts"]] == ["zoe", "Anna", "Bob", "张三", "carl"]
    assert answer["MatchCount"] == 5
    assert "NextToken" not in answer
    assert "PreviousToken" not in answer


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("anna", ["Anna", "张三"]),
        ("ZOE@example", ["zoe"]),
        ("三", ["张三"]),
        ("1390000", ["Bob"]),
        ("new-carl", ["carl"]),
        ("ceo", ["zoe", "Anna", "张三", "carl"]),
        ("a_b", ["Anna"]),
        ("%", []),
        ("\\", []),
        ("' OR '1'='1", []),
        ("nobody", []),
    ],
)
async def test_a_query_finds_parts_of_names_titles_and_addresses_to_the_letter(api, query, found):
    await some_people(api)

    assert await names(api, Query=query) == found


async def test_contacts_are_found_by_state_type_and_binding_together(api):
    folder, member = await some_people(api)
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]

    assert await names(api, Status="Verifying") == ["Anna", "张三"]
    assert await names(api, Status="Active") == ["zoe", "Bob", "carl"]
    assert await names(api, Status="Deleting") == []
    assert await names(api, MessageType="FaultMessage") == ["Anna", "张三"]
    assert await names(api, MessageType="SecurityMessage", Status="Verifying") == ["张三"]
    assert await names(api, Node=folder) == ["zoe"]
    assert await names(api, Node=folder, Inherited="true") == ["zoe", "carl"]
    assert await names(api, Node=member) == ["Bob"]
    assert await names(api, Node=member, Inherited="true") == ["zoe", "Bob", "carl"]
    assert await names(api, Node=directory, Inherited="true") == []
    assert await names(api, Bound="true") == ["zoe", "Bob", "carl"]
    assert await names(api, Bound="false") == ["Anna", "张三"]
    assert await names(api, Query="example.com", Bound="true", Node=member, Status="Active") == ["Bob"]


async def test_a_contact_shows_which_addresses_are_in_force_and_which_wait(api):
    await some_people(api)

    (carl,) = (await search(api, Query="carl"))["Contacts"]
    (anna,) = (await search(api, Query="anna_b"))["Contacts"]
    (bob,) = (await search(api, Query="bob"))["Contacts"]

    assert carl["EffectiveEmailAddress"] == "carl@example.com"
    assert carl["PendingEmailAddress"] == "new-carl@example.net"
    assert carl["Status"] == "Active"
    assert "EffectiveEmailAddress" not in anna
    assert anna["PendingEmailAddress"] == "anna_b@example.org"
    assert bob["EffectivePhoneNumber"] == "86-13900001234"
    assert "PendingPhoneNumber" not in bob
    assert bob["CreateDate"].endswith("Z")


@pytest.mark.parametrize(
    ("sort_by", "expected"),
    [
        ("Name", ["Anna", "Bob", "carl", "zoe", "张三"]),
        ("CreateDate", ["zoe", "Anna", "Bob", "张三", "carl"]),
        ("Status", ["Anna", "张三", "zoe", "Bob", "carl"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_pages_cover_the_order_wanted_in_both_directions(api, sort_by, expected, size):
    await some_people(api)

    for descending in (False, True):
        asked = {"SortBy": sort_by, "Descending": str(descending).lower(), "MaxResults": size}
        wanted = expected[::-1] if descending else expected
        pages = await every_page(api, **asked)
        assert list(itertools.chain(*pages)) == wanted
        assert all(len(page) == size for page in pages[:-1])

        last = None
        for _ in pages[:-1]:
            last = (await search(api, NextToken=last, **asked))["NextToken"]
        back = await every_page(api, "PreviousToken", last, **asked)
        assert back[0] == pages[-1]
        assert back[-1] == pages[0]
        assert list(itertools.chain(*reversed(back[1:]))) == wanted[: len(wanted) - len(pages[-1])]


async def test_names_that_differ_in_the_case_of_letters_only_stand_beside_each_other_on_pages_of_one(many):
    for name in ("anna", "张三", "ANNA", "Anna", "bob"):
        await many.add_contact(Name=name, EmailAddress="a@example.com")
    expected = ["ANNA", "Anna", "anna", "bob", "张三"]

    for descending in ("false", "true"):
        pages = await every_page(many, SortBy="Name", Descending=descending, MaxResults=1)
        assert list(itertools.chain(*pages)) == (expected if descending == "false" else expected[::-1])


async def test_a_name_is_taken_as_it_is_written_and_by_another_contact_only(many):
    await many.add_contact(Name="Anna", EmailAddress="a@example.com")
    other = await many.add_contact(Name="anna", EmailAddress="b@example.com")

    _, body = await many.error("UpdateMessageContact", ContactId=other, Name="Anna")

    assert body["Code"] == "InvalidParameter.Name.AlreadyUsed"
    await many.call("UpdateMessageContact", ContactId=other, Name="aNNA")


async def test_a_page_stays_in_step_while_contacts_come_and_go(many):
    ids = {}
    for letter in "bdfhj":
        ids[letter] = await many.add_contact(Name=f"{letter}{letter}", EmailAddress=f"{letter}@example.com")
    first = await search(many, SortBy="Name", MaxResults=2)

    await many.call("DeleteMessageContact", ContactId=ids["d"])
    await many.add_contact(Name="aa", EmailAddress="a@example.com")
    await many.add_contact(Name="ee", EmailAddress="e@example.com")
    second = await search(many, SortBy="Name", MaxResults=2, NextToken=first["NextToken"])

    assert [contact["Name"] for contact in second["Contacts"]] == ["ee", "ff"]
    back = await search(many, SortBy="Name", MaxResults=2, NextToken=second["PreviousToken"])
    assert [contact["Name"] for contact in back["Contacts"]] == ["aa", "bb"]
    assert "PreviousToken" not in back


async def test_going_back_to_the_beginning_fills_the_first_page(many):
    ids = [await many.add_contact(Name=f"{letter * 2}", EmailAddress=f"{letter}@example.com") for letter in "abcdef"]
    second = await search(
        many, MaxResults=3, NextToken=(await search(many, MaxResults=3))["NextToken"], SortBy="CreateDate"
    )
    await many.call("DeleteMessageContact", ContactId=ids[0])
    await many.call("DeleteMessageContact", ContactId=ids[1])

    back = await search(many, MaxResults=3, NextToken=second["PreviousToken"])

    assert [contact["Name"] for contact in back["Contacts"]] == ["cc", "dd", "ee"]
    assert "PreviousToken" not in back


async def test_an_empty_answer_has_no_tokens(api):
    answer = await search(api, Query="nobody")

    assert answer == {"MatchCount": 0, "Contacts": []}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Query": "x" * 255}, "InvalidParameter.Query"),
        ({"Query": "a\nb"}, "InvalidParameter.Query"),
        ({"Status": "Asleep"}, "InvalidParameter.Status"),
        ({"MessageType": "Gossip"}, "InvalidParameter.MessageType"),
        ({"Node": "somewhere"}, "InvalidParameter.Node"),
        ({"Node": "fd-0000000000"}, "EntityNotExists.Node"),
        ({"Node": "rd-zzzzzz"}, "EntityNotExists.Node"),
        ({"SortBy": "Age"}, "InvalidParameter.SortBy"),
        ({"MaxResults": 101}, "InvalidParameter.MaxResults"),
        ({"NextToken": "nonsense"}, "InvalidParameter.NextToken"),
        ({"NextToken": "é"}, "InvalidParameter.NextToken"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(api, given, code):
    assert (await api.error("SearchMessageContacts", OURS, **given))[1]["Code"] == code


@pytest.mark.parametrize(
    "fields",
    [
        ["Name", False, False, None, "anna", None, "nobody"],
        ["Name", False, False, None, "an\x00na", None, "c-0000000000000001"],
        ["Name", False, False, None, "anna", 5, "c-0000000000000001"],
        ["CreateDate", False, False, None, "", None, "c-0000000000000001"],
        ["CreateDate", False, False, None, "", True, "c-0000000000000001"][:6],
        ["CreateDate", False, False, None, "", 2**63, "c-0000000000000001"],
        ["Status", False, False, None, "", 5, "c-0000000000000001"],
        ["Status", False, False, "Asleep", "", 5, "c-0000000000000001"],
        ["Age", False, False, None, "", 5, "c-0000000000000001"],
        {"a": 1},
    ],
)
async def test_a_token_that_is_none_of_ours_is_refused(api, fields):
    token = urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")
    sort_by = fields[0] if isinstance(fields, list) and fields[0] != "Age" else "CreateDate"

    _, body = await api.error("SearchMessageContacts", OURS, SortBy=sort_by, NextToken=token)

    assert body["Code"] == "InvalidParameter.NextToken"


async def test_a_token_of_another_order_is_refused(api):
    await some_people(api)
    token = (await search(api, SortBy="Name", MaxResults=2))["NextToken"]

    for other in ({"SortBy": "Status"}, {"SortBy": "Name", "Descending": "true"}, {}):
        _, body = await api.error("SearchMessageContacts", OURS, NextToken=token, **other)
        assert body["Code"] == "InvalidParameter.NextToken"


async def test_contacts_of_another_tenant_are_not_found(api):
    await some_people(api)
    other = await api.other_tenant()

    assert await search(other) == {"MatchCount": 0, "Contacts": []}


async def test_a_state_that_rests_on_the_captured_inbox_is_found_as_it_is_shown(database_url):
    async with open_api(database_url) as captured:
        await captured.add_verified_contact(Name="Anna", EmailAddress="anna@example.com")
        assert await names(captured, Status="Active") == ["Anna"]
    async with open_api(database_url, {"smtp_url": "smtp://127.0.0.1:9", "smtp_from": "us@example.com"}) as real:
        assert await names(real, Status="Active") == []
        (anna,) = (await search(real, Status="Verifying"))["Contacts"]
        assert anna["PendingEmailAddress"] == "anna@example.com"
