"""The verdict as one HTML page that opens from disk: pictures inside, nothing loaded."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import jinja2


def index_html(results: dict[str, Any], drawings: Mapping[tuple[str, str], bytes]) -> str:
    """The page of a results document; ``drawings`` are SVGs by (chain, observable)."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fiducial.validation", "templates"),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"measured": measured, "p": p_text, "pull": pull_text}
    pictures = {
        key: "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
        for key, svg in drawings.items()
    }
    return environment.get_template("index.html.j2").render(results=results, pictures=pictures)


def measured(value: Mapping[str, Any] | None) -> str:
    """``125.04 ± 0.02``, rounded to two digits of the error."""
    if value is None or value["estimate"] is None:
        return "–"
    estimate, error = float(value["estimate"]), value["error"]
    if not error:
        return f"{estimate:.6g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{estimate:.{digits}f} ± {error:.{digits}f}"


def p_text(p_value: float | None) -> str:
    """A p-value, short."""
    if p_value is None:
        return "–"
    return f"{p_value:.2f}" if p_value >= 0.01 else f"{p_value:.1e}"


def pull_text(pull: float | None) -> str:
    """A pull with its sign."""
    return "–" if pull is None else f"{pull:+.1f}".replace("-", "−")
