"""A service started as the README says, on a free port, with the demo data."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("message-contacts")
_SECONDS = 60


@dataclass(frozen=True)
class Demo:
    """A started service, and the folder from which the documentation's commands are run."""

    #: `127.0.0.1:PORT`.
    address: str
    #: What it said when it had started.
    announcement: str
    folder: Path

    def run(
        self, program: str, *, language: str = "sh", variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a snippet as it is written, the port aside."""
        text = program.replace("127.0.0.1:8080", self.address).replace(
            "port=8080", f"port={self.address.split(':')[1]}"
        )
        interpreter = [sys.executable, "-c"] if language == "python" else ["bash", "-euo", "pipefail", "-c"]
        environment = {**_plain_environment(), "ALIBABA_CLOUD_ENDPOINT": self.address, **(variables or {})}
        return subprocess.run(
            [*interpreter, text],
            check=False,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )


def _plain_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MESSAGE_CONTACTS_", "ALIBABA_CLOUD_", "PYTHONWARNINGS"))
    }


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "message-contacts"):
        (folder / ".venv" / "bin" / name).symlink_to(Path(sys.executable).with_name(name))
    shutil.copytree(ROOT / "docs" / "guide", folder / "docs" / "guide")
    with subprocess.Popen(
        [COMMAND, "serve", "--demo", "--port", "0"],
        cwd=folder,
        env=_plain_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        lines = []
        for line in server.stderr:
            lines.append(line)
            if "first_call.py" in line:
                break
        announcement = "".join(lines)
        found = re.search(r"answers at http://(127\.0\.0\.1:[0-9]+)", announcement)
        assert found, announcement + server.stderr.read()
        yield Demo(found[1], announcement, folder)
        server.terminate()
        assert server.wait(_SECONDS) == 0, server.stderr.read()
