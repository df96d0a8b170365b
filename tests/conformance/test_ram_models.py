"""The declared operations of RAM and STS against the vendor's own client: parameters and answers, name by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_sts20150401 import models as sts_models

from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RAM, STS, Field, Items, Operation, Shape

MODELS = {RAM: ram_models, STS: sts_models}
DECLARED = {operation.name: operation for version, operation in REGISTRY.all() if version in MODELS}
EVERY_OPERATION = pytest.mark.parametrize("operation", DECLARED.values(), ids=DECLARED)

#: Fields that the vendor has and we leave out, each with the reason.
LEFT_OUT = {
    "GetPolicy.Policy.PolicyDocument": "deprecated: it stands in DefaultPolicyVersion",
    "ListPolicies.Policies.Policy.Tags": "policies have no tags",
    "GetCallerIdentity.RoleId": "there are no roles",
    "DecodeDiagnosticMessage.DecodedDiagnosticMessage.MatchedPolicies.AttachedEntityType": "only users have policies",
    "DecodeDiagnosticMessage.DecodedDiagnosticMessage.MatchedPolicies.AttachedScope": "there are no resource groups",
    "UnbindMFADevice.MFADevice": "there are no devices: it always refuses",
}


def model(operation: Operation, ending: str) -> type | None:
    return getattr(MODELS[operation.versions[0]], f"{operation.name}{ending}", None)


def parameters_of(model_type: type) -> set[str]:
    return set(re.findall(r"result\['(\w+)'\]", inspect.getsource(model_type.to_map)))


def fields_of(model_type: type, models: ModuleType) -> dict[str, Any]:
    """Names of an answer's fields, nested as in the model."""
    source = inspect.getsource(model_type.to_map)
    names = list(dict.fromkeys(re.findall(r"result\['(\w+)'\]", source)))
    hints = inspect.signature(model_type.__init__).parameters
    by_letters = {keyword.replace("_", "").lower(): str(hint.annotation) for keyword, hint in hints.items()}
    return {name: of_annotation(by_letters[name.lower()], models) for name in names}


def of_annotation(annotation: str, models: ModuleType) -> Any:
    nested = re.search(r"main_models\.(\w+)", annotation)
    if nested is not None:
        of: Any = fields_of(getattr(models, nested[1]), models)
    else:
        of = {"str": "string", "int": "integer", "bool": "boolean"}[annotation.removeprefix("List[").removesuffix("]")]
    return [of] if annotation.startswith("List[") else of


def declared_fields(shape: Shape) -> Any:
    if isinstance(shape, Field):
        return shape.type
    if isinstance(shape, Items):
        return [declared_fields(shape.of)]
    return {name: declared_fields(part) for name, part in shape.items()}


def without_left_out(fields: Any, path: str) -> Any:
    if isinstance(fields, list):
        return [without_left_out(fields[0], path)]
    if not isinstance(fields, Mapping):
        return fields
    return {
        name: without_left_out(value, f"{path}.{name}")
        for name, value in fields.items()
        if f"{path}.{name}" not in LEFT_OUT
    }


@EVERY_OPERATION
def test_operation_has_the_parameters_of_the_vendors_client(operation: Operation) -> None:
    request = model(operation, "Request")
    expected = parameters_of(request) if request else set()
    assert {parameter.name for parameter in operation.parameters} == expected


@EVERY_OPERATION
def test_answer_has_the_fields_of_the_vendors_client(operation: Operation) -> None:
    body = model(operation, "ResponseBody")
    assert body is not None
    expected = without_left_out(fields_of(body, MODELS[operation.versions[0]]), operation.name)
    assert {"RequestId": "string", **declared_fields(operation.returns)} == expected


def test_what_is_left_out_is_in_the_vendors_client() -> None:
    for path in LEFT_OUT:
        name, *steps = path.split(".")
        operation = DECLARED[name]
        fields = fields_of(model(operation, "ResponseBody"), MODELS[operation.versions[0]])
        for step in steps:
            fields = (fields[0] if isinstance(fields, list) else fields)[step]
