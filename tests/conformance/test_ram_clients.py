"""The vendor's RAM and STS clients, unmodified, live the whole life of a user against the real service."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from tests.conformance.service import RunningService, running_service

RAM, STS = "2015-05-01", "2015-04-01"
READS = json.dumps(
    {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "resourcemanager:GetResource*", "Resource": "*"}]}
)
WRITES = READS.replace("Get", "Create")
#: Names that no other client of the run uses.
NUMBERS = itertools.count(1)


class Refused(Exception):  # noqa: N818 - an answer like any other
    """A refusal as the client tells it."""

    def __init__(self, status: object, code: object) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Key(NamedTuple):
    access_key_id: str
    secret: str


#: Name of an operation, its version and its parameters: the answer as an object.
Caller = Callable[..., dict[str, Any]]
Connect = Callable[[RunningService, Key], Caller]


def python_client(*, asynchronous: bool, signature: str | None = None) -> Connect:
    """The vendor's current clients for Python, by their typed methods."""

    def connect(service: RunningService, key: Key) -> Caller:
        config = Config(
            access_key_id=key.access_key_id,
            access_key_secret=key.secret,
            endpoint=service.endpoint,
            protocol="http",
            signature_algorithm=signature,
        )
        clients = {RAM: RamClient(config), STS: StsClient(config)}

        def call(action: str, version: str = RAM, **parameters: Any) -> dict[str, Any]:
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
            request = getattr(ram_models, f"{action}Request", None)
            arguments = [request().from_map(parameters)] if request and version == RAM else []
            try:
                if asynchronous:
                    answer = asyncio.run(getattr(clients[version], f"{method}_async")(*arguments))
                else:
                    answer = getattr(clients[version], method)(*arguments)
            except AlibabaCloudException as error:
                raise Refused(error.status_code, error.code) from error
            fields: dict[str, Any] = answer.body.to_map()
            return fields

        return call

    return connect


def legacy_client(method: str) -> Connect:
    """The vendor's older client for Python."""

    def connect(service: RunningService, key: Key) -> Caller:
        host, port = service.endpoint.split(":")
        client = AcsClient(key.access_key_id, key.secret, "cn-hangzhou", port=int(port), auto_retry=False)

        def call(action: str, version: str = RAM, **parameters: Any) -> dict[str, Any]:
            request = CommonRequest(domain=host, version=version, action_name=action)
            request.set_accept_format("JSON")
            request.set_method(method)
            request.set_protocol_type("http")
            put = request.add_body_params if method == "POST" else request.add_query_param
            for name, value in parameters.items():
                put(name, str(value).lower() if isinstance(value, bool) else str(value))
            try:
                fields: dict[str, Any] = json.loads(client.do_action_with_exception(request))
            except ServerException as error:
                raise Refused(error.get_http_status(), error.get_error_code()) from error
            return fields

        return call

    return connect


CLIENTS = {
    "sync": python_client(asynchronous=False),
    "async": python_client(asynchronous=True),
    "v1": python_client(asynchronous=False, signature="v2"),
    "legacy-get": legacy_client("GET"),
    "legacy-post": legacy_client("POST"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service that all clients of this module call."""
    with running_service(tmp_path_factory.mktemp("ram")) as running:
        yield running


@pytest.fixture(params=CLIENTS)
def connect(request: pytest.FixtureRequest) -> Connect:
    return CLIENTS[request.param]


def refusal(call: Callable[[], object]) -> tuple[object, object]:
    """Status and code with which a call is refused, as the client tells them."""
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.status, refused.value.code


def names(answer: dict[str, Any], outer: str, inner: str, field: str) -> list[Any]:
    return [entry[field] for entry in answer[outer][inner]]


def test_client_lives_the_life_of_a_user(connect: Connect, service: RunningService) -> None:
    root = connect(service, Key(service.key.access_key_id or "", service.key.access_key_secret or ""))
    number = next(NUMBERS)
    user, policy = f"dashboard-{number}", f"read-directory-{number}"
    custom = {"PolicyName": policy, "PolicyType": "Custom"}
    account_id = root("GetCallerIdentity", STS)["AccountId"]

    created = root("CreateUser", UserName=user, DisplayName="仪表板 *~'()", Comments="reads + reports")["User"]
    assert root("GetUser", UserName=user)["User"]["DisplayName"] == "仪表板 *~'()"
    assert refusal(lambda: root("CreateUser", UserName=user)) == (409, "EntityAlreadyExists.User")
    key = root("CreateAccessKey", UserName=user)["AccessKey"]
    caller = connect(service, Key(key["AccessKeyId"], key["AccessKeySecret"]))
    assert (
        caller("GetCallerIdentity", STS).items()
        >= {
            "IdentityType": "RAMUser",
            "AccountId": account_id,
            "UserId": created["UserId"],
            "Arn": f"acs:ram::{account_id}:user/{user}",
        }.items()
    )
    assert refusal(lambda: caller("ListUsers")) == (403, "NoPermission")

    made = root("CreatePolicy", PolicyName=policy, PolicyDocument=WRITES, Description="for the dashboard")["Policy"]
    assert made["DefaultVersion"] == "v1"
    version = root("CreatePolicyVersion", PolicyName=policy, PolicyDocument=READS, SetAsDefault=True)["PolicyVersion"]
    assert (version["VersionId"], version["IsDefaultVersion"]) == ("v2", True)
    listed = root("ListPolicyVersions", **custom)
    assert names(listed, "PolicyVersions", "PolicyVersion", "VersionId") == ["v1", "v2"]
    assert root("GetPolicy", **custom)["DefaultPolicyVersion"]["PolicyDocument"] == READS
    root("AttachPolicyToUser", UserName=user, **custom)
    root("AttachPolicyToUser", UserName=user, PolicyName="AliyunRAMReadOnlyAccess", PolicyType="System")

    assert user in names(caller("ListUsers", MaxItems=1000), "Users", "User", "UserName")
    assert policy in names(caller("ListPolicies", PolicyType="Custom"), "Policies", "Policy", "PolicyName")
    attached = caller("ListPoliciesForUser", UserName=user)
    assert sorted(names(attached, "Policies", "Policy", "PolicyName")) == ["AliyunRAMReadOnlyAccess", policy]
    assert names(caller("ListEntitiesForPolicy", **custom), "Users", "User", "UserName") == [user]
    assert caller("ListGroupsForUser", UserName=user)["Groups"]["Group"] == []
    assert names(caller("ListAccessKeys"), "AccessKeys", "AccessKey", "AccessKeyId") == [key["AccessKeyId"]]
    assert refusal(lambda: caller("CreateUser", UserName="rival")) == (403, "NoPermission")
    page = caller("ListPolicies", PolicyType="System", MaxItems=1)
    assert page["IsTruncated"] is True
    following = caller("ListPolicies", PolicyType="System", MaxItems=1, Marker=page["Marker"])
    assert names(following, "Policies", "Policy", "PolicyName") != names(page, "Policies", "Policy", "PolicyName")

    mine = {"UserName": user, "UserAccessKeyId": key["AccessKeyId"]}
    root("UpdateAccessKey", Status="Inactive", **mine)
    assert refusal(lambda: caller("GetCallerIdentity", STS)) == (400, "InvalidAccessKeyId.Inactive")
    assert refusal(lambda: root("DeleteUser", UserName=user)) == (409, "DeleteConflict.User.AccessKey")
    root("DeleteAccessKey", **mine)
    assert refusal(lambda: caller("GetCallerIdentity", STS)) == (404, "InvalidAccessKeyId.NotFound")
    assert refusal(lambda: root("DeleteUser", UserName=user)) == (409, "DeleteConflict.User.Policy")
    root("DetachPolicyFromUser", UserName=user, **custom)
    root("DetachPolicyFromUser", UserName=user, PolicyName="AliyunRAMReadOnlyAccess", PolicyType="System")
    root("UpdateUser", UserName=user, NewUserName=f"{user}.old", NewComments="to be deleted")
    root("DeleteUser", UserName=f"{user}.old")
    assert refusal(lambda: root("GetUser", UserName=f"{user}.old")) == (404, "EntityNotExist.User")
    assert refusal(lambda: root("DeletePolicy", PolicyName=policy)) == (409, "DeleteConflict.Policy.Version")
    root("SetDefaultPolicyVersion", PolicyName=policy, VersionId="v1")
    root("DeletePolicyVersion", PolicyName=policy, VersionId="v2")
    root("DeletePolicy", PolicyName=policy)
    assert refusal(lambda: root("GetPolicy", **custom)) == (404, "EntityNotExist.Policy")
