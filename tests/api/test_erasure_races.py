"""What is said by or about a person while the operator erases that person: nothing of it may stay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from message_contacts.delivery.outcome import COMPLAINED, Outcome, OutgoingMessage, Verdict
from message_contacts.transports.capture import CaptureTransport
from tests.api.privacy_world import OWN, erase
from tests.api.publishing import publish
from tests.api.recipients import preference_links, unsubscribe_link
from tests.api.test_races import Interruption
from tests.conftest import ENGINES
from tests.harness import Api, open_api
from tests.pages.conftest import Browser

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

#: Makes somebody of whom something is left; its id.
Left = Callable[[Api], Awaitable[str]]

#: What is posted, and where; the path is behind that of the link.
POSTS = {
    "preferences": ("", {"language": "", "type-SecurityMessage": "on"}),
    "hand over": ("/hand-over", {"wish": "Ann has taken over"}),
    "unsubscribe": (None, {}),
}


@pytest.fixture
def race() -> Interruption:
    return Interruption()


@pytest.fixture
async def api(database_url: str, race: Interruption) -> AsyncIterator[Api]:
    async with open_api(database_url, seam=race) as opened:
        yield opened


async def told(api: Api) -> str:
    """A contact that was sent a message; its id."""
    root = await api.root_folder()
    contact_id = await api.add_verified_contact(root, MessageTypes=["FaultMessage", "ProductMessage"])
    await publish(api, root)
    await api.work()
    return contact_id


async def left_in_copies(api: Api) -> str:
    """The same, but of the contact only the copy is left that members keep."""
    contact_id = await told(api)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    return contact_id


#: What is left of the contact.
LEFT = pytest.mark.parametrize("left", [told, left_in_copies], ids=["contact", "copy"])


async def post(api: Api, what: str):
    """What the person says on a page."""
    behind, fields = POSTS[what]
    link = await unsubscribe_link(api, "tom@example.com")
    if behind is not None:
        link = (await preference_links(api, "tom@example.com"))["Tom"] + behind
    browser = Browser(api.service.app)

    async def say():
        return await browser.open(link, "POST", fields=fields)

    return say


async def complain(api: Api):
    """What a mailbox provider says: that a mail was unwanted."""
    ((delivery_id,),) = await api.service.storage.outbox._database.rows("SELECT delivery_id FROM delivery", ())
    delivery = await api.service.storage.messages.delivery(api.account_id, delivery_id)
    assert delivery is not None

    async def say() -> None:
        await api.service.recipients.bounces.answered(delivery, Outcome(Verdict.ACCEPTED, COMPLAINED))

    return say


async def kept(api: Api) -> int:
    """How much was said and is kept."""
    database = api.service.storage.outbox._database
    total = 0
    for table in ("preference", "hand_over", "suspension"):
        ((number,),) = await database.rows(f"SELECT count(*) FROM {table} WHERE account_id = $1", (api.account_id,))
        total += number
    return total


@LEFT
@pytest.mark.parametrize("what", POSTS)
async def test_nothing_is_kept_of_who_is_erased_while_it_is_said(
    api: Api, race: Interruption, what: str, left: Left
) -> None:
    contact_id = await left(api)
    say = await post(api, what)
    race.once(lambda: erase(api, contact_id))

    answer = await say()

    assert answer.status < 500
    assert await kept(api) == 0


@LEFT
@pytest.mark.parametrize("what", POSTS)
async def test_what_is_said_while_somebody_is_erased_goes_too(
    api: Api, race: Interruption, what: str, left: Left
) -> None:
    contact_id = await left(api)
    say = await post(api, what)
    race.once(say)

    await erase(api, contact_id)

    assert await kept(api) == 0


@LEFT
@pytest.mark.parametrize("what", POSTS)
async def test_without_an_erasure_it_is_kept(api: Api, what: str, left: Left) -> None:
    await left(api)
    say = await post(api, what)

    assert (await say()).status == 200
    assert await kept(api) == 1


async def test_no_complaint_is_kept_about_who_is_erased_meanwhile(api: Api, race: Interruption) -> None:
    contact_id = await told(api)
    say = await complain(api)
    race.once(lambda: erase(api, contact_id))

    await say()

    assert await kept(api) == 0


async def test_a_complaint_that_comes_while_somebody_is_erased_goes_too(api: Api, race: Interruption) -> None:
    contact_id = await told(api)
    race.once(await complain(api))

    await erase(api, contact_id)

    assert await kept(api) == 0


async def test_without_an_erasure_a_complaint_is_kept_and_counts_once(api: Api) -> None:
    await told(api)
    say = await complain(api)

    await say()
    await say()

    assert await kept(api) == 1


@pytest.mark.parametrize("erased", [True, False])
async def test_no_test_message_is_kept_to_who_is_erased_while_it_is_on_its_way(
    api: Api, monkeypatch: pytest.MonkeyPatch, erased: bool
) -> None:
    contact_id = await told(api)
    await api.call("ClearInbox", OWN)
    send = CaptureTransport.send

    async def meanwhile(transport: CaptureTransport, message: OutgoingMessage) -> Outcome:
        if erased:
            await erase(api, contact_id)
        return await send(transport, message)

    monkeypatch.setattr(CaptureTransport, "send", meanwhile)
    await api.call("SendTestMessage", OWN, ContactId=contact_id, Channel="email")

    assert len(await api.inbox()) == (not erased)
