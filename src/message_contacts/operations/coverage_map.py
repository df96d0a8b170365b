"""How well each part of the directory is covered, a folder at a time. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from message_contacts import errors
from message_contacts.delivery.coverage import TYPES, Coverage
from message_contacts.delivery.ground import Ground
from message_contacts.delivery.rules import Circumstances, Severity
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.coverage import AT_LEAST, INVALID_AT_LEAST, existing_ground
from message_contacts.operations.own_parameters import VERSIONS, list_errors
from message_contacts.operations.reach_parameters import FOLDER, INVALID_FOLDER, INVALID_SEVERITY, SEVERITY
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    next_token,
    read_token,
)

_PLACE = re.compile(r"([01]):([0-9]{1,7}):([a-zA-Z0-9-]{1,64})")
#: Thousandths: the share of members for whom there is nobody, over all types.
_WHOLE = 1_000

_CELLS: Mapping[str, Shape] = {
    "MessageTypes": Items(
        {
            "MessageType": Field("string", "Type.", "SecurityMessage"),
            "MembersBelow": Field("integer", "Members with fewer than AtLeast contacts for it.", 3),
            "MembersWithout": Field("integer", "Members with no contact for it.", 1),
            "Fewest": Field("integer", "Contacts of the member that has the fewest; 0 without members.", 0),
        }
    )
}


@dataclass(slots=True)
class _Tally:
    """What is counted over some members. Not frozen: it grows."""

    members: int = 0
    members_below: int = 0
    members_without: int = 0
    below: list[int] = field(default_factory=lambda: [0] * len(TYPES))
    without: list[int] = field(default_factory=lambda: [0] * len(TYPES))
    fewest: list[int] = field(default_factory=list)

    def add(self, counts: Sequence[int], at_least: int, times: int = 1) -> None:
        """Count members with so many contacts for each type."""
        self.members += times
        self.fewest = list(map(min, self.fewest, counts)) if self.fewest else list(counts)
        lowest = min(counts)
        if lowest >= at_least:
            return
        self.members_below += times
        self.members_without += 0 if lowest else times
        for position, count in enumerate(counts):
            if count < at_least:
                self.below[position] += times
                if not count:
                    self.without[position] += times

    def worth(self) -> int:
        """How well it is covered, from 0: nobody anywhere; what is only below counts a little."""
        if not self.members:
            return _WHOLE * _WHOLE
        bad = sum(self.without) * _WHOLE + sum(self.below)
        return _WHOLE * _WHOLE - bad * _WHOLE // (self.members * len(TYPES) * (_WHOLE + 1))

    def cells(self) -> list[dict[str, Any]]:
        """What answers say of each type."""
        fewest = self.fewest or [0] * len(TYPES)
        return [
            {"MessageType": message_type, "MembersBelow": below, "MembersWithout": without, "Fewest": least}
            for message_type, below, without, least in zip(TYPES, self.below, self.without, fewest, strict=True)
        ]


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where an entry stands: folders before members, the less covered the earlier."""

    is_member: int
    worth: int
    node_id: str


def _parse_place(text: str, _rules: Rules) -> _Place:
    try:
        found = _PLACE.fullmatch(read_token(text))
    except ValueError:
        found = None
    if found is None:
        raise INVALID_NEXT_TOKEN()
    return _Place(int(found[1]), int(found[2]), found[3])


@operation(
    "GetCoverageMap",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells for a folder how many of its members would be reached for each message type: in all, by the folders "
    "directly in it, and for the members directly in it. Folders come first, the least covered at the top.",
    source="Ours, 2026-11-22",
    parameters=[
        replace(FOLDER, doc="Folder to look into; Root when absent."),
        SEVERITY,
        AT_LEAST,
        MAX_RESULTS,
        replace(NEXT_TOKEN, parse=_parse_place),
    ],
    raises=list_errors(INVALID_FOLDER, INVALID_SEVERITY, INVALID_AT_LEAST, errors.ENTITY_NOT_EXISTS_FOLDER),
    returns={
        **TOKEN_FIELDS,
        "Path": Items(
            {
                "FolderId": Field("string", "Folder, from Root down to the one looked into.", "fd-ZDNPiT****"),
                "FolderName": Field("string", "Its name.", "sales"),
            }
        ),
        "Summary": {
            "MemberCount": Field("integer", "Members in the folder and the folders in it.", 200),
            "MembersBelow": Field("integer", "Those with fewer than AtLeast contacts for some type.", 3),
            "MembersWithout": Field("integer", "Those with no contact for some type.", 1),
            **_CELLS,
        },
        "Entries": Items(
            {
                "FolderId": Field("string", "Folder; absent for a member.", "fd-ZDNPiT****"),
                "MemberId": Field("string", "Member; absent for a folder.", "181761095690****"),
                "Name": Field("string", "Name it is shown under.", "sales"),
                "MemberCount": Field("integer", "Members in it; 1 for a member.", 20),
                **_CELLS,
            }
        ),
    },
    resources=["coverage/*"],
)
async def get_coverage_map(
    call: Call,
    *,
    folder: str | None,
    severity: Severity | None,
    at_least: int,
    max_results: int,
    next_token: _Place | None,
) -> Mapping[str, Any]:
    folder_id = folder or call.directory.root_folder_id
    path = await call.services.directory.lineage(call.account_id, folder_id)
    if not path:
        raise errors.ENTITY_NOT_EXISTS_FOLDER(folder_id=folder_id)
    ground = await existing_ground(call)
    circumstances = await call.services.standing.of_tenant(call.account_id)
    # Worked out beside the event loop, which has other calls to answer.
    tallies = await asyncio.to_thread(_tallies, ground, circumstances, folder_id, severity, at_least)
    total = tallies.pop(folder_id)
    places = (_Place(int(node_id in ground.members), tally.worth(), node_id) for node_id, tally in tallies.items())
    page = heapq.nsmallest(max_results + 1, places if next_token is None else (p for p in places if p > next_token))
    names = await _names(call, page[:max_results])
    return {
        "Path": [{"FolderId": each.folder_id, "FolderName": each.name} for each in path],
        "Summary": {
            "MemberCount": total.members,
            "MembersBelow": total.members_below,
            "MembersWithout": total.members_without,
            "MessageTypes": total.cells(),
        },
        "Entries": [
            {
                "MemberId" if place.is_member else "FolderId": place.node_id,
                "Name": names.get(place.node_id, ""),
                "MemberCount": tallies[place.node_id].members,
                "MessageTypes": tallies[place.node_id].cells(),
            }
            for place in page[:max_results]
        ],
        **_next(page, max_results),
    }


def _next(places: Sequence[_Place], limit: int) -> dict[str, Any]:
    return next_token(places, limit, lambda place: f"{place.is_member}:{place.worth}:{place.node_id}")


async def _names(call: Call, places: Iterable[_Place]) -> Mapping[str, str]:
    members = [place.node_id for place in places if place.is_member]
    names = dict(await call.services.routing.display_names(call.account_id, members))
    for place in places:
        if not place.is_member:
            found = await call.services.directory.folder(call.account_id, place.node_id)
            names[place.node_id] = "" if found is None else found.name
    return names


def _tallies(
    ground: Ground, circumstances: Circumstances, folder_id: str, severity: Severity | None, at_least: int
) -> dict[str, _Tally]:
    """By id: the folder with all in it, each folder directly in it likewise, and each member directly in it."""
    #: By folder, the entry to which its members belong: the child through which it lies in the folder, or the folder.
    entries: dict[str, str] = {}
    for each, lineage in ground.tree.lineages.items():
        if folder_id in lineage:
            below = lineage[lineage.index(folder_id) + 1 :]
            entries[each] = below[0] if below else folder_id
    tallies = {folder_id: _Tally()} | {entry: _Tally() for entry in entries.values()}
    alike: Counter[tuple[str, tuple[int, ...]]] = Counter()
    for found in Coverage(ground, circumstances, severity).members(folder_id):
        entry = entries[ground.members[found.member_id].folder_id]
        if entry == folder_id:
            tallies[found.member_id] = own = _Tally()
            own.add(found.counts, at_least)
        alike[entry, found.counts] += 1
    # Most members of a folder have the same: counted once for all of them.
    for (entry, counts), times in alike.items():
        tallies[folder_id].add(counts, at_least, times)
        if entry != folder_id:
            tallies[entry].add(counts, at_least, times)
    return tallies


OPERATIONS: tuple[Operation, ...] = (get_coverage_map,)
