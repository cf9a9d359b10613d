"""The setup scripts of an area that holds several stacks, and what they choose from.

    ROOT/setup.sh, .csh, .fish       the selector: -r RELEASE, --list-releases
    ROOT/versions/<stack id>/        the stacks
    ROOT/current                     link: the default
    ROOT/channels/<name>             links: the release that a channel stood at when deployed
    ROOT/modulefiles/fiducial/<id>   links: ``module use ROOT/modulefiles``

The selector is the same text in every area: it reads the folders when it is sourced, so that it
never tells of a release that is not there. docs/formats/setup.md.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from fiducial.stack.files import aside, fsync_directory, sweep, write_atomically
from fiducial.stack.modulefiles import MODULE, modulefile_path
from fiducial.stack.setup_scripts import SHELLS, render_script


def write_selector(root: Path) -> list[str]:
    """Write the selector's scripts into ``root`` where they differ; returns those written."""
    written = []
    for shell in SHELLS:
        path = root / f"setup.{shell}"
        text = render_script(f"site.{shell}.j2")
        sweep(path)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)
            written.append(path.name)
    return written


def install_site(root: Path, stack: str, channel: str | None = None) -> None:
    """Make ``versions/<stack>`` (whole, in place) known to the area's users."""
    write_selector(root)
    if (root / "versions" / stack / modulefile_path(stack)).is_file():
        target = Path("..", "..", "versions", stack, modulefile_path(stack))
        point(root / "modulefiles" / MODULE / stack, target)
    if channel is not None:
        point(root / "channels" / channel, Path("..", "versions", stack))


def point(link: Path, target: Path) -> bool:
    """Make ``link`` a link to ``target`` in one step; False where it is one already."""
    sweep(link)
    if link.is_symlink() and link.readlink() == target:
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = aside(link)
    try:
        fresh.symlink_to(target)
        fresh.replace(link)
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
    fsync_directory(link.parent)
    return True
