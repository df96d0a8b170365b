"""Numbers as Prometheus reads them: text format 0.0.4, or OpenMetrics 1.0 for who asks for it.

Source: prometheus.io, exposition formats, and the OpenMetrics specification 1.0, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from message_contacts.metrics.families import FAMILIES, Family, Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def content_type_for(accept: str) -> str:
    """The better of the two formats that the Accept header takes; the text format when it says nothing of either."""
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for entry in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        weight, version = 1.0, "1.0.0"
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                weight = _weight(value)
            elif name == "version":
                version = value
        if media_type in weights and not (media_type.startswith("application/") and version not in ("1.0.0", "0.0.1")):
            weights[media_type] = max(weights[media_type], weight)
    open_metrics, text = weights.values()
    return OPEN_METRICS if open_metrics > 0 and open_metrics >= text else TEXT


def render(samples: Iterable[Sample], content_type: str) -> bytes:
    """The samples in that format, each family with its sentence."""
    is_open = content_type == OPEN_METRICS
    by_family: dict[Family, list[Sample]] = {family: [] for family in FAMILIES}
    for sample in samples:
        by_family[sample.family].append(sample)
    lines: list[str] = []
    for family, found in by_family.items():
        if found:
            name = family.name if is_open else family.shown_name
            lines.append(f"# HELP {name} {_escaped(family.doc, quotes=is_open)}")
            lines.append(f"# TYPE {name} {family.kind.value}")
            for sample in sorted(found, key=lambda sample: sample.labels):
                lines += _lines(sample)
    if is_open:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode()


def _lines(sample: Sample) -> Iterator[str]:
    family, values, value = sample
    labels = [f'{name}="{_escaped(text, quotes=True)}"' for name, text in zip(family.labels, values, strict=True)]
    if not isinstance(value, tuple):
        yield f"{family.shown_name}{_braced(labels)} {_number(value)}"
        return
    counts, total = value
    for bound, count in zip((*family.bounds, None), accumulate(counts), strict=True):
        limit = 'le="+Inf"' if bound is None else f'le="{float(bound)!r}"'
        yield f"{family.name}_bucket{_braced([*labels, limit])} {count}"
    yield f"{family.name}_count{_braced(labels)} {sum(counts)}"
    yield f"{family.name}_sum{_braced(labels)} {_number(total)}"


def _braced(labels: list[str]) -> str:
    return "{" + ",".join(labels) + "}" if labels else ""


def _escaped(text: str, *, quotes: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(round(value, 9))


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
