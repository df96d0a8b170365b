"""What UntagResources refuses; what it does is in `test_tag_resources.py`."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER
from tests.assertions import assert_error
from tests.harness import Api


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"ResourceType": "Account", "ResourceId": [NO_MEMBER]}, errors.missing("TagKey")),
        ({"ResourceType": "Account", "ResourceId": [NO_MEMBER], "All": True}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        ({"ResourceType": "Folder", "ResourceId": [NO_FOLDER], "TagKey": ["k"]}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_untag_resources_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("UntagResources", **parameters), expected)
