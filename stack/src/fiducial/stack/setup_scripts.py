"""The scripts that set a shell up for a stack: sh, csh and fish.

They find the prefix by their own place, so that a moved stack works; they start no process and
need nothing but the shell. See the templates for what each exports.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fiducial.stack.files import write_atomically

SHELLS = ("sh", "csh", "fish")


def render_setup(shell: str, stack: str, lock_sha256: str, minor: str, builder: str) -> str:
    """The text of ``setup.<shell>`` for a stack."""
    templates = Environment(
        loader=PackageLoader("fiducial.stack", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    template = templates.get_template(f"setup.{shell}.j2")
    return template.render(stack=stack, lock_sha256=lock_sha256, minor=minor, builder=builder)


def write_setup(prefix: Path, stack: str, lock_sha256: str, minor: str, builder: str) -> list[str]:
    """Write the setup scripts and the marker file by which they know their stack."""
    names = []
    for shell in SHELLS:
        name = f"setup.{shell}"
        write_atomically(prefix / name, render_setup(shell, stack, lock_sha256, minor, builder))
        names.append(name)
    marker = f"etc/fiducial/{stack}.stack"
    write_atomically(prefix / marker, f"{stack}\n")
    return [*names, marker]
