"""Parameters that several directory operations share, each once.

Source: contract/operations.json.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from message_contacts import errors
from message_contacts.clock import Instant
from message_contacts.directory import names, tags
from message_contacts.directory.model import ACCOUNT_ID, FOLDER_ID, Member
from message_contacts.errors import ApiError
from message_contacts.operations import paging
from message_contacts.operations.registry import Implied, Kind, Parameter
from message_contacts.operations.token_paging import read_token
from message_contacts.operations.values import parse_boolean, parse_text

#: Resources of permissions: checked on the id as given.
FOLDER_RESOURCE = "folder/{FolderId}"
PARENT_FOLDER_RESOURCE = "folder/{ParentFolderId}"
ACCOUNT_RESOURCE = "account/{AccountId}"
ANY_ACCOUNT_RESOURCE = "account/*"
EVERYTHING = "*"


def nodes_named(parameter: str) -> tuple[str, str]:
    """The resources that ids of members or folders may be: which of the two, their form says."""
    return f"account/{{{parameter}}}", f"folder/{{{parameter}}}"


#: A folder that can be changed: Root cannot.
_OWN_FOLDER_ID = re.compile(r"fd-[0-9A-Za-z]{1,64}")
#: Milliseconds since the epoch.
_MOMENT = re.compile(r"[0-9]{1,15}")


def matching(*forms: re.Pattern[str]) -> Callable[[str, Any], str]:
    """A parser of texts that have one of these forms; it raises ValueError for others."""

    def parse(text: str, _rules: Any) -> str:
        if not any(form.fullmatch(text) for form in forms):
            raise ValueError(text)
        return text

    return parse


def _parse_new_display_name(text: str, _rules: Any) -> str:
    try:
        return names.parse_display_name(text)
    except ApiError as refusal:  # this operation lists no code for the form of a name
        raise ValueError(refusal.definition.code) from None


def position(member: Member) -> str:
    """What a token of a page that starts behind this member holds: it stays good when members come and go."""
    return f"{member.joined_at}:{member.member_id}"


def _parse_position(text: str, _rules: Any) -> tuple[Instant, str]:
    joined_at, colon, member_id = read_token(text).partition(":")
    if not colon or not _MOMENT.fullmatch(joined_at):
        raise ValueError(text)
    return Instant(int(joined_at)), member_id


def renamed(parameter: Parameter, name: str) -> Parameter:
    """The same parameter under another name."""
    return replace(parameter, name=name)


FOLDER_ID_PARAMETER = Parameter(
    name="FolderId",
    parse=matching(FOLDER_ID),
    doc="Folder.",
    example="fd-Jyl5U7****",
    missing=errors.MISSING_PARAMETER_FOLDER_ID,
    invalid=(errors.INVALID_PARAMETER_FOLDER_ID,),
)
FOLDER_TO_CHANGE = replace(FOLDER_ID_PARAMETER, parse=matching(_OWN_FOLDER_ID), doc="Folder other than Root.")
PARENT_FOLDER_ID = Parameter(
    name="ParentFolderId",
    parse=matching(FOLDER_ID),
    doc="Folder in which it lies; Root when absent.",
    example="r-b1****",
    implied=Implied.ROOT_FOLDER,
    invalid=(errors.INVALID_PARAMETER_PARENT_FOLDER_ID,),
)
DESTINATION_FOLDER_ID = Parameter(
    name="DestinationFolderId",
    parse=matching(FOLDER_ID),
    doc="Folder to move to; Root is one.",
    example="fd-bVaRIG****",
    missing=errors.MISSING_PARAMETER_DESTINATION_FOLDER_ID,
    invalid=(errors.INVALID_PARAMETER_DESTINATION_FOLDER_ID,),
)
CHILD_ID = Parameter(
    name="ChildId",
    parse=matching(FOLDER_ID, ACCOUNT_ID),
    doc="Folder or member.",
    example="fd-i1c9nr****",
    missing=errors.MISSING_PARAMETER_CHILD_ID,
    invalid=(errors.INVALID_PARAMETER_CHILD_ID,),
)
FOLDER_NAME = Parameter(
    name="FolderName",
    parse=lambda text, _rules: names.parse_folder_name(text),
    doc="Name: 1 to 24 letters, digits, Chinese characters or `_ . -`; unique among the children of the same parent.",
    example="rdFolder",
    missing=errors.MISSING_PARAMETER_FOLDER_NAME,
    invalid=(errors.INVALID_PARAMETER_FOLDER_NAME, errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH),
)
ACCOUNT_ID_PARAMETER = Parameter(
    name="AccountId",
    parse=matching(ACCOUNT_ID),
    doc="Member: 16 digits.",
    example="181761095690****",
    missing=errors.MISSING_PARAMETER_ACCOUNT_ID,
    invalid=(errors.INVALID_PARAMETER_ACCOUNT_ID,),
)
#: For the operations whose tables list no codes for it.
ACCOUNT_ID_WITHOUT_CODES = replace(ACCOUNT_ID_PARAMETER, missing=None, invalid=())
DISPLAY_NAME = Parameter(
    name="DisplayName",
    parse=lambda text, _rules: names.parse_display_name(text),
    doc="Name shown: 2 to 50 letters, digits, Chinese characters, spaces or `_ . -`; unique in the directory.",
    example="Dev",
    missing=errors.MISSING_PARAMETER_ACCOUNT_DISPLAY_NAME,
    invalid=(errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH),
)
NEW_DISPLAY_NAME = Parameter(
    name="NewDisplayName",
    parse=_parse_new_display_name,
    doc="New name, of the form of DisplayName; not together with NewAccountType.",
    example="admin",
)
ACCOUNT_NAME_PREFIX = Parameter(
    name="AccountNamePrefix",
    parse=lambda text, _rules: names.parse_account_name_prefix(text),
    doc="Login name before the `@`: 2 to 37 letters or digits, single `_ . -` between them; random when absent.",
    example="alice",
    invalid=(
        errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX,
        errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH,
    ),
)
QUERY_KEYWORD = Parameter(
    name="QueryKeyword",
    parse=parse_text,
    doc="Part of the name; upper and lower case differ.",
    example="project",
)
TAG = Parameter(
    name="Tag",
    kind=Kind.OBJECTS,
    parse=lambda entries, _rules: tags.parse_tags(entries),
    doc="Tags: at most 20, each key once.",
    example=[{"Key": "k1", "Value": "v1"}],
    default=(),
)
TAG_FILTER = replace(TAG, doc="Only what has all of these tags, keys and values alike.")
INCLUDE_TAGS = Parameter(
    name="IncludeTags",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Return Tags.",
    example="true",
    default=False,
)
MAX_RESULTS = Parameter(
    name="MaxResults",
    kind=Kind.INTEGER,
    parse=paging.integer_between(1, paging.MAX_PAGE_SIZE),
    doc="Entries per page of token paging, 1 to 100; 10 when only NextToken is given. It wins over PageNumber.",
    example="10",
)
NEXT_TOKEN = Parameter(
    name="NextToken",
    parse=_parse_position,
    doc="Token of the page wanted, from the answer before.",
    example="MTU3NzgzNjgwMDAwMDoxNzcyNDIyODUyNzQxMjM0",
)
