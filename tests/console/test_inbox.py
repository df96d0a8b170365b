"""The captured inbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from message_contacts.console.site.shown_mail import linked, shown_mail
from tests.api.publishing import publish
from tests.api.ram_users import ram_user
from tests.console.conftest import Console
from tests.fakes.waiting_clock import WaitingClock, settled
from tests.harness import Api, open_api


@pytest.fixture
async def waiting(database_path: Path) -> AsyncIterator[Api]:
    """A service on a clock that tests move."""
    async with open_api(database_path, clock=WaitingClock()) as api:
        yield api


async def captured(api: Api, address: str = "tom@example.com", name: str = "Tom") -> None:
    """A request to confirm an address, in the inbox."""
    contact = await api.add_contact(Name=name, EmailAddress=address)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact, EmailAddress=address)
    await api.work()


async def test_an_empty_inbox_says_that_mail_appears_by_itself(console: Console) -> None:
    page = (await console.open("/inbox")).page

    assert "The inbox is empty" in page.text
    assert page.all("div", class_="inbox")[0]["data-events"].startswith("/console/inbox/events")


async def test_the_newest_message_is_read_beside_the_list(console: Console, api: Api) -> None:
    await captured(api)
    await captured(api, "ann@example.com", "Ann")

    page = (await console.open("/inbox")).page

    assert [item.text.split()[0] for item in page.all("li") if item.get("data-id")] == [
        "ann@example.com",
        "tom@example.com",
    ]
    assert "ann@example.com" in page.one("article").text
    link = next(link for link in page.all("a", target="_blank") if "/verify/" in link["href"])
    assert link["rel"] == "noopener noreferrer"
    frame = page.one("iframe")
    assert "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"]
    mail = await console.open(frame["src"])
    assert "/verify/" in mail.html
    assert "sandbox allow-popups" in mail.headers["content-security-policy"]


async def test_the_inbox_is_filtered_by_address_and_cleared_after_a_question(console: Console, api: Api) -> None:
    await captured(api)
    await captured(api, "ann@example.com", "Ann")

    page = (await console.open("/inbox?recipient=TOM@example.com")).page
    assert len([item for item in page.all("li") if item.get("data-id")]) == 1
    assert "TOM@example.com" in (await console.open("/inbox/clear?recipient=TOM@example.com")).page.text
    page = (await console.submit("/inbox/clear", {"recipient": "tom@example.com"})).page

    assert "1 message was taken away." in page.text
    assert len(await api.inbox()) == 1


async def test_a_message_that_is_gone_says_so(console: Console) -> None:
    answer = await console.open("/inbox?message=j-019aa8a55980ffffffffffff")

    assert answer.status == 404
    assert "This message is not here any more" in answer.page.text
    assert (await console.open("/inbox/j-019aa8a55980ffffffffffff/mail")).status == 404


async def test_new_mail_is_told_as_an_event_whatever_its_id(waiting: Api) -> None:
    """A published message has an id from when it was published, which may be before the last one that came."""
    api, console = waiting, Console(waiting)
    await console.sign_in()
    member = await api.create_member("shop")
    await api.add_verified_contact(member, MessageTypes=["FaultMessage"])
    message_id = await publish(api, member)
    await api.work("internal")
    api.clock.advance(60)
    ann = await api.add_contact(Name="Ann", EmailAddress="ann@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=ann, EmailAddress="ann@example.com")
    await api.work("email")
    known = "&".join(f"known={message['MessageId']}" for message in await api.inbox())

    new = f"j-{message_id[2:]}000001"
    listening = asyncio.ensure_future(console.listen(f"/inbox/events?{known}", until=new))
    await settled()
    await api.work()
    while not listening.done():  # nothing with a later id comes: the page looks again when it has waited
        await settled()
        api.clock.advance(3)
    answer = await listening

    assert re.findall(r"data-id=\"(j-[0-9a-f]+)\"", answer.html) == [new]


async def test_nothing_more_is_told_to_somebody_who_has_signed_out(waiting: Api) -> None:
    api, console = waiting, Console(waiting)
    await console.sign_in()
    same_session = Console(api, dict(console.jar))

    async def later() -> None:
        await settled()
        await same_session.submit("/sign-out", follow=False)
        await captured(api)
        await settled()
        api.clock.advance(3)

    answer, _ = await asyncio.gather(console.open("/inbox/events"), later())

    assert len(await api.inbox()) == 1
    assert answer.status == 200
    assert "tom@example.com" not in answer.html


async def test_a_key_that_may_not_read_the_inbox_is_told_which_permission_is_missing(api: Api) -> None:
    reader = await ram_user(api, "reader", system=["ReadOnlyAccess"])
    console = Console(api)
    await console.sign_in(reader.key_id, reader.secret)

    answer = await console.open("/inbox")

    assert answer.status == 403
    assert "messagecontacts:ListInboxMessages" in answer.page.text


def test_links_open_outside_even_without_a_head() -> None:
    assert shown_mail("<p>hello</p>").body == b'<base target="_blank"><p>hello</p>'
    assert b'<HEAD lang="en"><base target="_blank">' in bytes(shown_mail('<html><HEAD lang="en"></head></html>').body)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://a.example/b?c=d&e.", 'see <a href="https://a.example/b?c=d&amp;e" target="_blank" rel="noopener noreferrer">https://a.example/b?c=d&amp;e</a>.'),
        ("打开 http://a.example/b。", '打开 <a href="http://a.example/b" target="_blank" rel="noopener noreferrer">http://a.example/b</a>。'),
        ('<b>javascript:x "https://"</b>', "&lt;b&gt;javascript:x &#34;https://&#34;&lt;/b&gt;"),
    ],
)  # fmt: skip
def test_web_addresses_in_plain_text_become_links_and_nothing_else_does(text: str, shown: str) -> None:
    assert str(linked(text)) == shown
