"""Driver for the vendor's command-line interface: every call is a run of the program `aliyun`.

Lists are given as JSON, which is how it takes them. What it refuses by itself, a required parameter left out or a
version that it does not know, is called with `--force`.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import tempfile
from typing import Any

from driver import Account, Call, Refusal, run

_PRODUCTS = {"2022-04-19": "resourcedirectorymaster", "2020-03-31": "resourcemanager"}
_REFUSAL = re.compile(
    r"ErrorCode: (?P<code>.*?)\n.*?RequestId: (?P<request_id>.*?)\nMessage: (?P<message>.*?)\nRespHeaders: ", re.DOTALL
)
_REFUSED_BY_ITSELF = re.compile(r"required parameters not assigned|is not a valid command or product")


def connect(account: Account, variant: str, *, home: str) -> Call:
    """A caller of that kind; it has one variant, `post`.

    Args:
        home: An empty folder, for neither the settings of whoever runs this nor what the program writes there.
    """
    if variant != "post":
        raise ValueError(variant)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": account.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.access_key_secret,
    }

    def call(action: str, version: str, parameters: dict[str, Any]) -> dict[str, Any]:
        # Of a product that it knows it has one version; of others it takes any.
        product = _PRODUCTS.get(version, "unknown")
        command = ["aliyun", product, action, "--endpoint", account.endpoint, "--insecure", "--region", "cn-hangzhou"]
        for name, value in parameters.items():
            command += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
        forced = [*command, "--force", "--method", "POST"]
        forced += ["--version", version] if product == "unknown" else []
        for words in (command, forced):
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30, check=False)
            if done.returncode == 0:
                return json.loads(done.stdout)
            refusal = _REFUSAL.search(done.stderr + done.stdout)
            if refusal:
                raise Refusal(**refusal.groupdict())
            if not _REFUSED_BY_ITSELF.search(done.stderr + done.stdout):
                break
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stdout}{done.stderr}")

    return call


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(functools.partial(connect, home=folder))
