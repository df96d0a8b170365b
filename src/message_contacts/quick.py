"""Frozen dataclasses that cost no more to make than plain ones.

Source: docs/adr/0012-hot-values-are-frozen-by-the-type-checker.md.
"""

from __future__ import annotations

from dataclasses import MISSING, field, fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def quickly_made(cls: type[T]) -> type[T]:
    """Let a frozen dataclass be made by plain assignments; for values of which every call makes several.

    A frozen dataclass sets each field through `object.__setattr__`, which takes about twice as long. What guards
    these values against assignment is the type checker, which goes on treating them as frozen.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} has work to do after it was made")
    parameters: list[tuple[str, Any, Any]] = []
    for entry in fields(cls):  # type: ignore[arg-type]  # every class decorated is a dataclass
        given: dict[str, Any] = {"kw_only": entry.kw_only}
        if entry.default is not MISSING:
            given["default"] = entry.default
        elif entry.default_factory is not MISSING:
            given["default_factory"] = entry.default_factory
        parameters.append((entry.name, Any, field(**given)))
    # Nothing but the one method; without a docstring, it would work one out from the signature.
    plain = make_dataclass(
        cls.__name__, parameters, repr=False, eq=False, match_args=False, namespace={"__doc__": cls.__doc__}
    )
    cls.__init__ = plain.__init__  # type: ignore[method-assign, misc]  # the very point
    del cls.__setattr__, cls.__delattr__
    return cls
