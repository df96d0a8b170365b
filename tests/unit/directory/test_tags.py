"""Reading tags."""

import pytest

from message_contacts.directory.tags import MAX_TAGS, parse_tags


def test_tags_keep_their_order_and_an_absent_value_is_empty():
    assert parse_tags([{"Key": "b", "Value": "1"}, {"Key": "a"}]) == (("b", "1"), ("a", ""))


@pytest.mark.parametrize(
    "entries",
    [
        [{"Value": "1"}],
        [{"Key": "", "Value": "1"}],
        [{"Key": "a"}, {"Key": "a", "Value": "1"}],
        [{"Key": "k" * 129}],
        [{"Key": "k", "Value": "v" * 129}],
        [{"Key": str(number)} for number in range(MAX_TAGS + 1)],
    ],
    ids=["no key", "empty key", "same key twice", "long key", "long value", "too many"],
)
def test_tags_that_cannot_be_are_refused(entries):
    with pytest.raises(ValueError, match=r"a key|a value|tags"):
        parse_tags(entries)


def test_as_many_and_as_long_tags_as_allowed_are_taken():
    entries = [{"Key": f"{number:0128}", "Value": "v" * 128} for number in range(MAX_TAGS)]
    assert len(parse_tags(entries)) == MAX_TAGS
