"""The overview that ``fiducial --help`` prints: commands by panel, one sentence each.

Written by hand because the renderer of rich help costs a third of a second to import, and this
page is the one that people look at again and again.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence

import typer


def render_overview(
    description: str,
    panels: Mapping[str, Sequence[tuple[str, str]]],
    options: Sequence[tuple[str, str]],
    epilog: str,
) -> str:
    """The text of the overview; ``panels`` maps a title to rows (command, summary)."""
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    rows = [row for panel in panels.values() for row in panel]
    column = max(len(name) for name, _ in [*rows, *options]) + 4
    lines = ["", f"Usage: {_bold('fiducial')} COMMAND [OPTIONS] [ARGUMENTS]", ""]
    lines += [*textwrap.wrap(description, width), ""]
    for title, panel in [*panels.items(), ("Options", options)]:
        if not panel:
            continue
        lines.append(_bold(title))
        for name, summary in panel:
            first, *more = textwrap.wrap(_first_sentence(summary), width - column) or [""]
            lines.append("  " + typer.style(name.ljust(column - 2), fg="cyan") + first)
            lines += [" " * column + row for row in more]
        lines.append("")
    return "\n".join([*lines, *textwrap.wrap(epilog, width)])


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")


def _bold(text: str) -> str:
    return str(typer.style(text, bold=True))
