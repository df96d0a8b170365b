"""Any text survives in a literal of any language: the languages themselves say what they read."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from message_contacts.console.site.samples.literals import (
    go_literal,
    hcl_literal,
    java_literal,
    javascript_literal,
    python_literal,
    shell_word,
)

#: Characters that end, escape, replace or comment something in one of the languages, and some that are hard to write.
_AWKWARD = (
    "\"'`\\$%#{}()<>;&|!*?~^=-/u0x \n\r\t\0\x07\x1b\x7f\x85\xa0"
    "\u00ad\u200b\u202e\u2028\u2029\ufeff王é\u0301😀\U000e0041"
)
TEXTS = st.text(st.one_of(st.sampled_from(_AWKWARD), st.characters(exclude_categories=["Cs"])), max_size=40)
ALWAYS = [
    "",
    "-x",
    "$(id)",
    "'; rm -rf ~; '",
    "\\u0022 + x + \\u0022",
    "\\\\u000a",
    "${env}",
    "%{if true}",
    "$${a}",
    "`id`",
]
#: Each example starts a compiler or an interpreter, for many texts at once.
several = settings(max_examples=3, suppress_health_check=list(HealthCheck))
many_texts = st.lists(TEXTS, min_size=60, max_size=120).map(lambda found: [*ALWAYS, *found])


def read_back(command: list[str], folder: Path, standard_input: str | None = None) -> list[str]:
    """What a program prints: a JSON array of texts."""
    done = subprocess.run(
        command, cwd=folder, input=standard_input, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@given(TEXTS)
def test_python_reads_the_text(text: str) -> None:
    literal = python_literal(text)
    assert ast.literal_eval(literal) == text
    assert "\n" not in literal
    assert all(character.isprintable() for character in literal)


@given(texts=many_texts)
@several
def test_node_reads_the_texts(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("node")
    program = f"console.log(JSON.stringify([{','.join(map(javascript_literal, texts))}]))"
    (folder / "sample.cjs").write_text(program, encoding="utf-8")
    assert read_back(["node", "sample.cjs"], folder) == texts


@given(texts=many_texts)
@several
def test_bash_reads_the_texts(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("bash")
    texts = [text.replace("\0", "") for text in texts]
    (folder / "sample.sh").write_text("printf '%s\\0' " + " ".join(map(shell_word, texts)), encoding="utf-8")
    done = subprocess.run(
        ["bash", "sample.sh"], cwd=folder, env={"LC_ALL": "C"}, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split("\0")[:-1] == texts


def test_bash_cannot_be_given_a_null_character() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        shell_word("a\0b")


@pytest.mark.parametrize("tool", [name for name in ("go", "javac", "terraform") if shutil.which(name)])
@given(texts=many_texts)
@settings(max_examples=1, suppress_health_check=list(HealthCheck))
def test_compilers_read_the_texts(tmp_path_factory: pytest.TempPathFactory, tool: str, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp(tool)
    if tool == "go":
        lines = "\n".join(f"{go_literal(text)}," for text in texts)
        program = (
            'package main\nimport ("encoding/json"; "os")\n'
            f"func main() {{ json.NewEncoder(os.Stdout).Encode([]string{{\n{lines}\n}}) }}\n"
        )
        (folder / "main.go").write_text(program, encoding="utf-8")
        assert read_back(["go", "run", "main.go"], folder) == texts
    elif tool == "javac":
        literals = ",\n".join(map(java_literal, texts))
        program = (
            f"class Sample {{ public static void main(String[] a) throws Exception {{ for (String s : new String[]{{\n"
            f"{literals}\n}}) {{ System.out.write(s.getBytes(java.nio.charset.StandardCharsets.UTF_8)); "
            "System.out.write(0xff); } System.out.flush(); } }"
        )
        (folder / "Sample.java").write_text(program, encoding="utf-8")
        command = ["java", "-Dfile.encoding=UTF-8", "-XX:TieredStopAtLevel=1", "Sample.java"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=120)
        assert [piece.decode() for piece in done.stdout.split(b"\xff")[:-1]] == texts
    else:
        texts = [text.replace("\0", "") for text in texts]
        expression = f"jsonencode([{', '.join(map(hcl_literal, texts))}])\n"
        printed = read_back(["terraform", "console"], folder, expression)
        assert json.loads(str(printed)) == [unicodedata.normalize("NFC", text) for text in texts]
