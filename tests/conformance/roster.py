"""Who takes part: the vendor's clients, what each needs on the machine, and what is peculiar about it.

A client is a driver, a small program under `clients/` that makes calls through it (see `clients/python/driver.py`),
and an entry here. Clients whose tools are absent do not take part, and the run's summary says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"
#: Toolchains that take part, by name, or `all`.
WANTED = "CONFORMANCE_TOOLCHAINS"
_USUALLY_WANTED = "python,node"
#: Seconds that fetching and building a toolchain's clients may take.
_PREPARATION_TIME = 900


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """What the clients of one language need."""

    name: str
    #: Programs that have to be on the machine.
    tools: tuple[str, ...] = ()
    #: Fetches and builds the clients, in their folder.
    prepare: tuple[str, ...] = ()
    #: Files that decide whether that has to be done again.
    sources: tuple[str, ...] = ()
    #: Folder for what it makes, ignored by git.
    products: str = ""
    #: Another one's name, if its drivers lie with that one's.
    beside: str = ""

    @property
    def folder(self) -> Path:
        return CLIENTS / (self.beside or self.name)

    def absence(self) -> str | None:
        """Why its clients do not take part; None when they do."""
        wanted = os.environ.get(WANTED, _USUALLY_WANTED)
        if wanted != "all" and self.name not in wanted.split(","):
            return "not asked for; `make conformance` runs every client"
        missing = [tool for tool in self.tools if shutil.which(tool) is None]
        return f"not on this machine: {', '.join(missing)}" if missing else None

    def make_ready(self) -> None:
        """Fetch and build the clients unless that was done for these sources; several processes may ask at once."""
        if not self.prepare:
            return
        digest = hashlib.sha256(" ".join(self.prepare).encode())
        for path in sorted(path for pattern in self.sources for path in self.folder.glob(pattern)):
            digest.update(path.read_bytes())
        products = self.folder / self.products
        products.mkdir(exist_ok=True)
        stamp = products / ".prepared"
        with (self.folder / f"{self.products}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if stamp.exists() and stamp.read_text() == digest.hexdigest():
                return
            done = subprocess.run(
                self.prepare,
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=_PREPARATION_TIME,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"{' '.join(self.prepare)} failed for {self.name}:\n{done.stdout}{done.stderr}")
            stamp.write_text(digest.hexdigest())


PYTHON = Toolchain(name="python")
NODE = Toolchain(
    name="node",
    tools=("node", "npm"),
    prepare=("npm", "ci", "--loglevel=error"),
    sources=("package.json", "package-lock.json"),
    products="node_modules",
)
GO = Toolchain(
    name="go",
    tools=("go",),
    prepare=("go", "build", "-o", "target/driver", "."),
    sources=("*.go", "go.mod", "go.sum"),
    products="target",
)
JAVA = Toolchain(
    name="java",
    tools=("java", "javac", "mvn"),
    prepare=("mvn", "--quiet", "--batch-mode", "process-classes"),
    sources=("pom.xml", "src/**/*.java"),
    products="target",
)
#: The vendor's command-line interface, which no package registry has: it takes part where it is installed.
CLI = Toolchain(name="cli", tools=("aliyun",), beside="python")
TOOLCHAINS = (PYTHON, NODE, GO, JAVA, CLI)
#: Terraform with the vendor's provider, which is on the PATH as well; see `test_terraform.py`.
TERRAFORM = Toolchain(name="terraform", tools=("terraform", "terraform-provider-alicloud"))


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a client passes an error on."""

    code: str
    #: Found in the message.
    message: str


#: Wrong secret with RPC v1: our text, with the string to sign, which no longer holds a colon.
_V1_MISMATCH = Told(
    code="SignatureDoesNotMatch",
    message=r"Specified signature is not matched with our calculation\. server string to sign is:(GET|POST)&%2F&\S+",
)
_V3_MISMATCH = Told(
    code="SignatureDoesNotMatch",
    message=r"Specified signature does not match our calculation\. "
    r"server StringToSign is \[ACS3-HMAC-SHA256\n[0-9a-f]{64}\], "
    r"server CanonicalRequest is \[POST\n/\n",
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way in which a client can be used."""

    name: str
    #: Where it puts what: method, `v1` or `v3`, place of the business parameters; see `test_shapes.py`.
    shape: str
    #: What its caller reads when the secret is wrong; some clients compare our string to sign with their own.
    mismatch: Told
    #: Answers arrive without types (XML): the contract tells what is a number and what a list.
    untyped: bool = False
    #: Lists travel as one JSON array, and not with positions.
    lists_as_json: bool = False
    #: The client sends parameters with empty values but leaves them out of what it signs, so no server can take them.
    signs_no_empty_values: bool = False


@dataclass(frozen=True, kw_only=True)
class Client:
    """One client of the vendor."""

    name: str
    toolchain: Toolchain
    #: Starts its driver, in the toolchain's folder.
    command: tuple[str, ...]
    variants: tuple[Variant, ...]
    #: Whether it tells its caller the status of an error.
    tells_status: bool = True


def _java(which: str) -> tuple[str, ...]:
    # The JVM lives for seconds: the quick compiler alone gets it further.
    options = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8")
    classes = f"target/classes{os.pathsep}target/dependency/*"
    return ("java", *options, "-cp", classes, "conformance.Driver", which)


_SECRET_IS_WRONG = Told(code="InvalidAccessKeySecret", message="The AccessKeySecret is incorrect")

ROSTER = (
    Client(
        name="alibabacloud-resourcedirectorymaster20220419",
        toolchain=PYTHON,
        command=(sys.executable, "new_sdk.py"),
        variants=(
            Variant(name="sync", shape="POST v3 query", mismatch=_V3_MISMATCH),
            Variant(name="async", shape="POST v3 query", mismatch=_V3_MISMATCH),
            Variant(name="v1", shape="POST v1 query", mismatch=_V1_MISMATCH),
        ),
    ),
    Client(
        name="aliyun-python-sdk-core",
        toolchain=PYTHON,
        command=(sys.executable, "legacy_sdk.py"),
        variants=(
            Variant(name="json-get", shape="GET v1 query", mismatch=_V1_MISMATCH),
            Variant(name="json-post", shape="POST v1 form", mismatch=_V1_MISMATCH),
            Variant(name="product-post", shape="POST v1 form", mismatch=_SECRET_IS_WRONG),
            # It does not read XML answers itself, errors included, but hands them over.
            Variant(name="xml-get", shape="GET v1 query", mismatch=_V1_MISMATCH, untyped=True),
            Variant(name="xml-post", shape="POST v1 form", mismatch=_V1_MISMATCH, untyped=True),
        ),
    ),
    Client(
        name="terraform-style",
        toolchain=PYTHON,
        command=(sys.executable, "terraform_style.py"),
        variants=(Variant(name="form", shape="POST v1 form", mismatch=_V1_MISMATCH),),
    ),
    Client(
        name="@alicloud/openapi-core",
        toolchain=NODE,
        command=("node", "openapi_core.mjs"),
        variants=(
            Variant(name="v3", shape="POST v3 query", mismatch=_V3_MISMATCH),
            Variant(name="v1", shape="POST v1 query", mismatch=_V1_MISMATCH),
        ),
    ),
    Client(
        name="@alicloud/pop-core",
        toolchain=NODE,
        command=("node", "pop_core.mjs"),
        variants=(
            Variant(name="get", shape="GET v1 query", mismatch=_V1_MISMATCH),
            Variant(name="post", shape="POST v1 body", mismatch=_V1_MISMATCH),
        ),
    ),
    Client(
        name="@alicloud/rpc-client",
        toolchain=NODE,
        command=("node", "rpc_client.mjs"),
        variants=(
            Variant(name="form", shape="POST v1 form", mismatch=_V1_MISMATCH),
            Variant(name="query", shape="POST v1 query", mismatch=_V1_MISMATCH),
        ),
    ),
    Client(
        name="alibabacloud-go/darabonba-openapi",
        toolchain=GO,
        command=("target/driver", "darabonba"),
        variants=(
            Variant(name="v3", shape="POST v3 query", mismatch=_V3_MISMATCH),
            Variant(name="v1", shape="POST v1 query", mismatch=_V1_MISMATCH),
        ),
    ),
    Client(
        name="alibaba-cloud-sdk-go",
        toolchain=GO,
        command=("target/driver", "legacy"),
        variants=tuple(
            Variant(
                name=name,
                shape=shape,
                mismatch=Told(code="SignatureDoesNotMatch", message="InvalidAccessKeySecret: Please check"),
            )
            for name, shape in (("get", "GET v1 query"), ("post", "POST v1 query"), ("form", "POST v1 form"))
        ),
    ),
    Client(
        name="aliyun (command line)",
        toolchain=CLI,
        command=(sys.executable, "vendor_cli.py"),
        tells_status=False,
        variants=(
            Variant(
                name="post",
                shape="POST v1 query",
                mismatch=_V1_MISMATCH,
                lists_as_json=True,
            ),
        ),
    ),
    Client(
        name="com.aliyun:tea-openapi",
        toolchain=JAVA,
        command=_java("tea"),
        variants=(
            Variant(name="v3", shape="POST v3 query", mismatch=_V3_MISMATCH),
            Variant(name="v1", shape="POST v1 query", mismatch=_V1_MISMATCH, signs_no_empty_values=True),
        ),
    ),
    Client(
        name="com.aliyun:aliyun-java-sdk-core",
        toolchain=JAVA,
        command=_java("core"),
        tells_status=False,
        variants=(
            Variant(name="get", shape="GET v1 query", mismatch=_V1_MISMATCH),
            Variant(name="post", shape="POST v1 query", mismatch=_V1_MISMATCH),
            Variant(name="form", shape="POST v1 form", mismatch=_V1_MISMATCH),
            Variant(
                name="product",
                shape="POST v1 query",
                mismatch=Told(code="SDK.InvalidAccessKeySecret", message="Specified Access Key Secret is not valid"),
            ),
        ),
    ),
)


def taking_part() -> Iterator[tuple[Client, Variant]]:
    """Every client and variant of this run."""
    for client in ROSTER:
        if client.toolchain.absence() is None:
            for variant in client.variants:
                yield client, variant
