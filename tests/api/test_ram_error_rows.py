"""Each row of RAM's error tables, provoked through signed calls; bodies compared whole."""

from __future__ import annotations

import pytest

from message_contacts.access.ram_errors import MALFORMED_POLICY_DOCUMENT
from message_contacts.operations.registry import PRODUCTS
from tests.api.ram_rows import DECLARED, ROWS, VALID, parameters_of, prepare
from tests.assertions import assert_error
from tests.harness import Api


@pytest.mark.parametrize(("operation", "code"), ROWS)
async def test_call_is_refused_with_the_row_of_its_table(operation: str, code: str, api: Api) -> None:
    declared = DECLARED[operation]
    table = {error.code: error for error in declared.errors}
    refusal = await ROWS[operation, code](api)
    # What is wrong with a document is told by the document's own rules; they have tests of their own.
    message = refusal[1]["Message"] if code == MALFORMED_POLICY_DOCUMENT.code else None
    assert_error(refusal, table[code], message=message, product=PRODUCTS[declared.versions[0]])


@pytest.mark.parametrize("operation", DECLARED)
def test_every_row_of_the_table_is_provoked(operation: str) -> None:
    unproven = [error.code for error in DECLARED[operation].errors if (operation, error.code) not in ROWS]
    assert unproven == []


#: These refuse what the rows ask of them: there is nothing of that kind.
NEVER = {"DeleteLoginProfile", "UnbindMFADevice", "DecodeDiagnosticMessage"}
#: The user of the rows has a key and a policy, so these are refused in its state.
IN_USE = {"DeleteUser", "DeletePolicy"}


@pytest.mark.parametrize("operation", sorted(VALID.keys() - NEVER - IN_USE))
async def test_call_that_the_rows_change_succeeds_unchanged(operation: str, api: Api) -> None:
    key_id = await prepare(api)
    await api.call(operation, DECLARED[operation].versions[0], **parameters_of(operation, key_id))
