"""Lay working copies over a stack: a virtual environment of the user's own, put in place whole.

The overlay's packages come first on Python's path, the stack's last; in between nothing. A
working copy is installed as hatchling's editable wheel: its code is read from its folder, its
entry points and metadata hide those of the stack. The stack is read, never written. Nothing
depends on what a shell has sourced: ``OVERLAY/bin/python`` is enough, and it refuses to start
over another stack than its own. An overlay is made anew, aside, at every change, so that
nothing stale stays and a failure leaves the old one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import (
    aside,
    locked,
    recover_directory,
    remove_tree,
    replace_directory,
    sweep,
    write_atomically,
)
from fiducial.stack.installed import normalise, site_packages
from fiducial.stack.interpreter import Python, bind_interpreter, inspect_python
from fiducial.stack.manifest import Manifest
from fiducial.stack.overlay.record import NAME, Overlay, Stack, read_overlay
from fiducial.stack.overlay.working_copy import Copy
from fiducial.stack.setup_scripts import SHELLS, marker_of, render_script
from fiducial.stack.tools import clean_environment, run_program, run_uv

_OURS = {"bin", "lib", "lib64", "etc"}


def describe_stack(named: Path, manifest: Manifest) -> Stack:
    """What an overlay remembers of the stack at ``named`` (which may be a link that moves)."""
    return Stack(
        id=manifest.stack, named=str(named.absolute()), prefix=str(named.resolve()),
        manifest_sha256=manifest.sha256, lock_sha256=manifest.lock_sha256,
    )  # fmt: skip


def make_overlay(root: Path, stack: Stack, minor: str, copies: dict[str, Copy]) -> Overlay:
    """Make the overlay at ``root`` of ``copies`` over ``stack``, in the place of the one there.

    Raises InputError where ``root`` is something else, or a working copy cannot be built.
    """
    root = root.absolute()
    overlay = Overlay(stack=stack, copies=tuple(copy.record() for copy in copies.values()))
    try:
        with locked(_lock_of(root)):
            recover_directory(root)
            sweep(root)
            _require_ours(root)
            fresh = aside(root)
            fresh.mkdir(parents=True)
            try:
                _make(fresh, root, overlay, minor, copies)
                replace_directory(fresh, root)
            finally:
                remove_tree(fresh)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, "make the overlay", root) from error
    return overlay


def remove_overlay(root: Path) -> None:
    """Take the overlay at ``root`` away: what is left is the stack, as it was."""
    read_overlay(root)
    try:
        with locked(_lock_of(root)):
            remove_tree(root)
        _lock_of(root).unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, "remove", root) from error


def _lock_of(root: Path) -> Path:
    return root.parent / f".{root.name}.fiducial-lock"


def _require_ours(root: Path) -> None:
    if root.is_symlink() or (root.exists() and not (root / NAME).is_file()):
        if root.is_dir() and not root.is_symlink() and not any(root.iterdir()):
            return
        raise InputError(
            f"{root} is not an overlay", f"it has no {NAME}", "name another place with --overlay"
        )


def _make(fresh: Path, root: Path, overlay: Overlay, minor: str, copies: dict[str, Copy]) -> None:
    prefix = Path(overlay.stack.prefix)
    python = inspect_python(prefix / "bin" / "python")
    bind_interpreter(fresh, python)
    for name in ("python3", f"python{minor}"):
        (fresh / "bin" / name).symlink_to("python")
    site = site_packages(fresh, minor)
    site.mkdir(parents=True)
    for entry in sorted(prefix.iterdir()):
        if entry.is_dir() and entry.name not in _OURS:
            (fresh / entry.name).symlink_to(entry)  # data that packages look up below the prefix
    _take_scripts(prefix, fresh)
    _install(fresh, python, copies)
    facts = _facts(overlay, root, minor)
    write_atomically(site / "_fiducial_overlay.py", render_script("overlay.py.j2", **facts))
    write_atomically(site / "zz_fiducial_overlay.pth", "import _fiducial_overlay\n")
    for shell in SHELLS:
        text = render_script(f"overlay.{shell}.j2", **facts)
        write_atomically(fresh / f"setup.{shell}", text)
    write_atomically(fresh / ".gitignore", "*\n")
    write_atomically(fresh / NAME, overlay.model_dump_json(indent=1) + "\n")


def _facts(overlay: Overlay, root: Path, minor: str) -> dict[str, str]:
    """What the overlay's scripts say."""
    stack = overlay.stack
    return {
        "stack": stack.id, "prefix": stack.prefix, "named": stack.named, "label": overlay.label,
        "marker": marker_of(stack.id), "root": str(root),
        "site": str(site_packages(Path(stack.prefix), minor)),
    }  # fmt: skip


def _take_scripts(prefix: Path, fresh: Path) -> None:
    """Copy the stack's scripts, which start the Python beside them: so they start this one."""
    for path in sorted((prefix / "bin").iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as stream:
            is_script = stream.read(2) == b"#!"
        if is_script:
            shutil.copyfile(path, fresh / "bin" / path.name)
            (fresh / "bin" / path.name).chmod(0o755)


def _install(fresh: Path, python: Python, copies: dict[str, Copy]) -> None:
    with tempfile.TemporaryDirectory(prefix="fiducial-overlay-") as work:
        wheels = [_editable_wheel(copy, Path(work)) for copy in copies.values()]
        arguments = ["pip", "install", "--python", str(fresh / "bin" / "python"), "--no-deps"]
        arguments += ["--no-index", "--no-config", "--link-mode", "copy", "--no-compile-bytecode"]
        run_uv([*arguments, *map(str, wheels)], "install the working copies")
    (fresh / ".lock").unlink(missing_ok=True)  # uv's own
    site = site_packages(fresh, python.minor)
    for entry in site.iterdir():  # files that a wheel copies: read from the folder instead
        if entry.is_dir() and not entry.name.endswith(".dist-info"):
            remove_tree(entry)
    normalise(fresh, python.minor)


def _editable_wheel(copy: Copy, work: Path) -> Path:
    """The wheel that makes Python read ``copy`` where it lies."""
    out = work / copy.name
    command = [sys.executable, "-I", "-m", "hatchling", "build", "-t", "wheel:editable"]
    done = run_program([*command, "-d", str(out)], cwd=copy.folder, environment=clean_environment())
    wheels = sorted(out.glob("*.whl")) if out.is_dir() else []
    if done.returncode != 0 or len(wheels) != 1:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = said[-1] if said else "no wheel"
        hint = None
        if "editables" in reason:
            hint = 'say [tool.hatch.build] dev-mode-dirs = ["src"] in its pyproject.toml'
        raise InputError(f"cannot build {copy.name} from {copy.folder}", reason, hint)
    return wheels[0]
