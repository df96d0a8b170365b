"""Every kind of sample there is, in the order in which pages show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from message_contacts.console.site.samples import go, java, node, python, shell, terraform
from message_contacts.console.site.samples.call import SampleCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call in one language."""

    #: In links and tests, e.g. `python`.
    key: str
    title: str
    #: Name of the file to put it into.
    file: str
    #: What has to be installed, as a command or as coordinates; empty: nothing.
    needs: str
    #: None when the call cannot be written down this way.
    text: str | None


def samples(call: SampleCall) -> tuple[Sample, ...]:
    """The call in every language in which it can be made; Terraform only where a resource makes it."""
    found = [
        Sample(
            key="python",
            title="Python",
            file="sample.py",
            needs=f"pip install {python.package(call)}",
            text=python.sdk(call),
        ),
        Sample(
            key="python-common",
            title="Python CommonRequest",
            file="sample.py",
            needs="pip install aliyun-python-sdk-core",
            text=python.common_request(call),
        ),
        Sample(
            key="node",
            title="Node.js",
            file="sample.cjs",
            needs=f"npm install {node.PACKAGE}",
            text=node.core(call),
        ),
        Sample(key="go", title="Go", file="main.go", needs=f"go get {go.PACKAGE}", text=go.core(call)),
        Sample(key="java", title="Java", file="Sample.java", needs=java.PACKAGE, text=java.core(call)),
        Sample(key="curl", title="curl", file="sample.sh", needs="bash, curl, openssl", text=shell.curl(call)),
        Sample(
            key="cli", title="Alibaba Cloud CLI", file="sample.sh", needs="aliyun", text=_possible(shell.vendor, call)
        ),
        Sample(
            key="own",
            title="message-contacts api",
            file="sample.sh",
            needs="message-contacts",
            text=_possible(shell.own, call),
        ),
    ]
    configuration = terraform.resource(call)
    if configuration is not None:
        found.append(
            Sample(
                key="terraform",
                title="Terraform",
                file="main.tf",
                needs="terraform, provider aliyun/alicloud",
                text=configuration,
            )
        )
    return tuple(found)


def _possible(make: Callable[[SampleCall], str], call: SampleCall) -> str | None:
    try:
        return make(call)
    except ValueError:
        return None
