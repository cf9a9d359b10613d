"""The scripts that set a shell up for a stack (sh, csh, fish), and its modulefile.

They find the prefix by their own place, so that a moved stack works; they start no process on
the way to a set-up shell and need nothing but the shell. ``share/fiducial/packages.txt`` is what
``--list-packages`` shows, one ``name version`` a line. All of them come from ``StackFacts``; see
the templates for what each exports, and docs/formats/setup.md.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

from fiducial.stack.files import write_atomically
from fiducial.stack.modulefiles import modulefile_path

SHELLS = ("sh", "csh", "fish")
PACKAGES = "share/fiducial/packages.txt"


class NamedVersion(Protocol):
    """A package, as far as the list of packages is concerned."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


@dataclass(frozen=True)
class StackFacts:
    """What the scripts say of their stack. ``minor`` is the Python that it needs ("3.11")."""

    stack: str
    lock_sha256: str
    minor: str
    builder: str
    packages: str = PACKAGES


def render_script(template: str, **facts: Any) -> str:
    """The text that a template of this package makes of ``facts``."""
    templates = Environment(
        loader=PackageLoader("fiducial.stack", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,
    )
    templates.filters["shell"] = lambda value: shlex.quote(str(value))
    return templates.get_template(template).render(**facts)


def marker_of(stack: str) -> str:
    """The file by which setup scripts and overlays know that a prefix is this stack."""
    return f"etc/fiducial/{stack}.stack"


def write_setup(
    prefix: Path,
    stack: str,
    lock_sha256: str,
    minor: str,
    builder: str,
    packages: Iterable[NamedVersion],
) -> list[str]:
    """Write the setup scripts, the modulefile, the list of packages and the marker file by
    which they know their stack; returns their paths below ``prefix``."""
    facts = asdict(StackFacts(stack, lock_sha256, minor, builder))
    rows = sorted(f"{package.name} {package.version}\n" for package in packages)
    texts = {f"setup.{shell}": render_script(f"setup.{shell}.j2", **facts) for shell in SHELLS}
    texts[modulefile_path(stack)] = render_script("modulefile.j2", **facts)
    texts[PACKAGES] = "".join(rows)
    texts[marker_of(stack)] = f"{stack}\n"
    for path, text in texts.items():
        write_atomically(prefix / path, text)
    return list(texts)
