"""Page numbers and sizes."""

import pytest

from message_contacts.operations import paging
from message_contacts.operations.call import Rules
from message_contacts.operations.invoke import checked
from message_contacts.operations.registry import Access, operation
from message_contacts.protocol.parameters import Arguments


@operation("ListThings", access=Access.READ, doc="", source="", parameters=[paging.PAGE_NUMBER, paging.PAGE_SIZE])
async def list_things(_call, **_values):
    return {}


def page(**given):
    return checked(list_things, Arguments(given), Rules())


def test_pages_begin_with_the_first_ten():
    assert page() == {"page_number": 1, "page_size": 10}
    assert page(PageNumber="", PageSize="") == {"page_number": 1, "page_size": 10}


@pytest.mark.parametrize(("number", "size"), [("1", "1"), ("2147483647", "100"), ("007", "05")])
def test_a_page_may_be_any_within_the_limits(number, size):
    assert page(PageNumber=number, PageSize=size) == {"page_number": int(number), "page_size": int(size)}


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.0", "x", "²", " 1", "2147483648", "99999999999999999999"])
def test_a_page_number_out_of_range_is_refused(text):
    with pytest.raises(Exception, match="InvalidPageNumber"):
        page(PageNumber=text)


@pytest.mark.parametrize("text", ["0", "101", "ten"])
def test_a_page_size_out_of_range_is_refused(text):
    with pytest.raises(Exception, match="InvalidPageSize"):
        page(PageSize=text)


def test_the_offset_counts_what_stands_before_the_page():
    assert paging.offset(1, 10) == 0
    assert paging.offset(3, 25) == 50
