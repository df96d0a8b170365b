"""Settings put together from environment, file and defaults."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from message_contacts.settings.declared import PREFIX, Declaration, Settings, declarations

CONFIG = "CONFIG"
#: What Kubernetes puts into the environment for a service named message-contacts, or message-contacts-something.
_KUBERNETES_NAMES = re.compile(r"(?:.+_)?(?:SERVICE_.+|PORT|PORT_.+)")
_KUBERNETES_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")


class SettingsError(Exception):
    """The settings cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(
    environment: Mapping[str, str],
    *,
    config: Path | None = None,
    options: Mapping[str, str] | None = None,
    base: Mapping[str, str] | None = None,
) -> Settings:
    """Put the settings together.

    Args:
        environment: The process's environment.
        config: TOML file; None: the one that `MESSAGE_CONTACTS_CONFIG` names, if any.
        options: Texts by name (`PORT`) that outrank all else: options of the command line.
        base: Texts by name that outrank only the defaults.
    Raises:
        SettingsError: With every problem, not just the first.
    """
    problems: list[str] = []
    known = {declaration.name: declaration for declaration in declarations()}
    given: dict[str, tuple[str, str]] = {name: (text, "demo") for name, text in (base or {}).items()}
    named = environment.get(PREFIX + CONFIG)
    if config is None and named:
        config = Path(named)
    if config is not None:
        given |= _from_file(config, known, problems)
    given |= _from_environment(environment, known, problems)
    given |= {name: (text, "option") for name, text in (options or {}).items()}
    values: dict[str, Any] = {}
    unusable: set[str] = set()
    for name, (text, origin) in given.items():
        try:
            values[known[name].attribute] = known[name].form.parse(text)
        except ValueError as refusal:
            unusable.add(PREFIX + name)
            where = PREFIX + name if origin.startswith("environment") else f"{name.lower()} ({origin})"
            problems.append(f"{where} {refusal}.")
    origins = {known[name].attribute: origin for name, (_, origin) in given.items()}
    settings = Settings(**values, origins=origins)
    # A sentence about a value that was just refused would speak of its default instead.
    problems += [sentence for sentence in settings.problems() if not any(name in sentence for name in unusable)]
    if problems:
        raise SettingsError(problems)
    return settings


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Declaration], problems: list[str]
) -> dict[str, tuple[str, str]]:
    """Name -> text and origin. An empty variable counts as not set."""
    found: dict[str, tuple[str, str]] = {}
    for variable in sorted(environment):
        name, text = variable.removeprefix(PREFIX), environment[variable].strip()
        if not variable.startswith(PREFIX) or name == CONFIG or not text:
            continue
        if name == "PORT" and _KUBERNETES_ADDRESS.match(text):
            continue
        base = name.removesuffix("_FILE")
        if name in known:
            found[name] = (text, "environment")
        elif base != name and base in known:
            if environment.get(PREFIX + base, "").strip():
                problems.append(f"{PREFIX}{base} and {variable} are both set; keep one.")
                continue
            try:
                found[base] = (Path(text).read_text(encoding="utf-8").strip(), f"environment, file {text}")
            except (OSError, UnicodeDecodeError) as failure:
                problems.append(f"{variable}: {_why(failure)}.")
        elif not _KUBERNETES_NAMES.fullmatch(name):
            problems.append(f"{variable} is not a setting.{_did_you_mean(name, known, PREFIX)}")
    return found


def _from_file(path: Path, known: Mapping[str, Declaration], problems: list[str]) -> dict[str, tuple[str, str]]:
    """Name -> text and origin, from a TOML file with the settings' names in lower case."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        problems.append(f"{path}: {_why(failure)}.")
        return {}
    found: dict[str, tuple[str, str]] = {}
    for key, value in content.items():
        if key.upper() not in known or key != key.lower():
            problems.append(f"{path}: {key} is not a setting.{_did_you_mean(key.upper(), known, lower=True)}")
            continue
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str | int | bool) for item in items):
            problems.append(f"{path}: {key} must be a text, a number, true, false, or a list of texts.")
            continue
        texts = [str(item).lower() if isinstance(item, bool) else str(item).strip() for item in items]
        if any(texts):
            found[key.upper()] = (",".join(texts), str(path))
    return found


def _did_you_mean(name: str, known: Mapping[str, Declaration], prefix: str = "", *, lower: bool = False) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    if not nearest:
        return ""
    return f" Did you mean {prefix}{nearest[0].lower() if lower else nearest[0]}?"


def _why(failure: Exception) -> str:
    return failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
