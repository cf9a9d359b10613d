"""Build a stack: packages into a self-contained, relocatable prefix with its manifest.

The prefix is made aside and put in place in one step at the end, so that a build that is killed
or fails leaves the old prefix as it was; the next one removes what it left. A builder
(``builders``) installs the packages; all that follows is the same for each: one form of the
files, byte-compilation, manifest, setup scripts, bill of materials. Bytes depend on
``BuildPlan.inputs`` alone. docs/explanation/wheel-builder.md tells why.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from fiducial.stack.build_plan import BuildPlan
from fiducial.stack.compile import compile_sources, compiled_name, reuse_compiled
from fiducial.stack.errors import EnvironmentProblem, InternalError, from_os_error
from fiducial.stack.files import (
    aside,
    locked,
    recover_directory,
    remove_tree,
    replace_directory,
    sha256_bytes,
    sweep,
)
from fiducial.stack.installed import (
    Installed,
    normalise,
    owners,
    read_installed,
    required_names,
)
from fiducial.stack.interpreter import bind_interpreter, is_bound
from fiducial.stack.interpreter_bundle import bundle_interpreter
from fiducial.stack.manifest import (
    Builder,
    Entry,
    Interpreter,
    Manifest,
    Package,
    read_manifest,
    write_manifest,
)
from fiducial.stack.progress import Progress, SilentProgress
from fiducial.stack.sbom import NAME as SBOM
from fiducial.stack.sbom import render_sbom
from fiducial.stack.setup_scripts import write_setup
from fiducial.stack.tools import run_uv
from fiducial.stack.verify import describe, describe_all, walk
from fiducial.stack.wheel_choice import platform_of


def build(plan: BuildPlan, progress: Progress | None = None) -> Manifest:
    """Carry ``plan`` out and return the manifest of the stack at its prefix."""
    progress = progress if progress is not None else SilentProgress()
    prefix = plan.prefix
    lock_file = prefix.parent / f".{prefix.name}.fiducial-lock"
    waiting = f"waiting for another build of {prefix}"
    with _disk_errors(prefix):
        if plan.fresh:
            if plan.mode == "host" and not is_bound(prefix, plan.python):
                with locked(lock_file, lambda: progress.note(waiting)):
                    bind_interpreter(prefix, plan.python)
            return read_manifest(prefix)
        with locked(lock_file, lambda: progress.note(waiting)):
            recover_directory(prefix)
            for left in sweep(prefix):
                progress.note(f"removed {left.name}, left by a build that was killed")
            stage = aside(prefix)
            try:
                stage.mkdir(parents=True)
                manifest = _make(plan, stage, progress)
                with progress.phase("put in place"):
                    _sync(stage)
                    replace_directory(stage, prefix)
            finally:
                remove_tree(stage)
    return manifest


@contextlib.contextmanager
def _disk_errors(prefix: Path) -> Iterator[None]:
    try:
        yield
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, f"build {prefix}:", error.filename or "") from error


def _make(plan: BuildPlan, stage: Path, progress: Progress) -> Manifest:
    """Make the whole stack at ``stage``."""
    minor = plan.python.minor
    bind_interpreter(stage, plan.python)
    plan.builder.install(plan, stage, progress)
    with progress.phase("relocate"):
        normalise(stage, minor)
        python = str(stage / "bin" / "python")
        run_uv(["pip", "check", "--python", python], "fit the packages together")
        (stage / ".lock").unlink(missing_ok=True)  # uv's own
    bundled = _interpreter(plan, stage)
    flush = threading.Thread(target=_sync, args=(stage,), daemon=True)
    flush.start()  # the disk works while the compiler does
    entries = _describe(stage, progress, "hash")
    entries |= _compile(plan, stage, entries, progress)
    installed = read_installed(stage, minor)
    files = owners(installed, entries, *plan.builder.damaged)
    packages = _packages(plan, installed, files)
    if plan.mode == "bundled":
        packages.append(_interpreter_package(plan, entries, bundled))
    builder = f"{plan.builder.name} {plan.builder.version}"
    write_setup(stage, plan.stack, plan.lock.sha256, minor, builder, packages)
    manifest = _manifest(plan, stage, packages, entries)
    write_manifest(stage, manifest)
    flush.join()
    return manifest


def _interpreter(plan: BuildPlan, stage: Path) -> list[str]:
    """Give the stage its interpreter; returns the paths of a bundled one."""
    minor = plan.python.minor
    names = ["python3", f"python{minor}"]
    made: list[str] = []
    if plan.mode == "bundled":
        made = bundle_interpreter(stage, plan.python)
        names = ["python3", "python"]
    for name in names:
        link = stage / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to("python" if plan.mode == "host" else f"python{minor}")
    if os.name == "posix" and not (stage / "lib64").exists():
        (stage / "lib64").symlink_to("lib")
    return made


def _describe(stage: Path, progress: Progress, phase: str) -> dict[str, Entry]:
    names = sorted(set(walk(stage)) - {"bin/python", "pyvenv.cfg"} | _own_python(stage))
    with progress.phase(phase, len(names)) as task:
        found = describe_all(stage, names, task.advance)
    return {path: entry for path, entry in found.items() if entry is not None}


def _own_python(stage: Path) -> set[str]:
    """bin/python belongs to the stack where no pyvenv.cfg binds it to a host."""
    return set() if (stage / "pyvenv.cfg").exists() else {"bin/python"}


def _compile(
    plan: BuildPlan, stage: Path, entries: dict[str, Entry], progress: Progress
) -> dict[str, Entry]:
    """Byte-compile every source, or take what the present stack has of the same source."""
    tag = plan.python.cache_tag
    sources = [path for path in entries if path.endswith(".py")]
    reused: set[str] = set()
    if plan.current is not None and plan.current.interpreter.cache_tag == tag:
        reused = reuse_compiled(plan.prefix, plan.current, stage, entries, sources, tag)
    todo = [path for path in sources if path not in reused]
    with progress.phase("byte-compile", len(todo)) as task:
        compile_sources(stage, stage / "bin" / "python", todo, task.advance)
    compiled = [compiled_name(path, tag) for path in sources]
    found = describe_all(stage, compiled)
    return {path: entry for path, entry in found.items() if entry is not None}


def _packages(
    plan: BuildPlan, installed: dict[str, Installed], files: dict[str, dict[str, Entry]]
) -> list[Package]:
    origins = {wheel.package.name: ("wheel", wheel.filename, wheel.sha256) for wheel in plan.wheels}
    for source in plan.sources:
        directory = source.component.directory.relative_to(plan.workspace.root).as_posix()
        origins[source.component.name] = ("component", directory, source.sha256)
    if origins.keys() != installed.keys():
        odd = sorted(origins.keys() ^ installed.keys())
        raise InternalError("the prefix does not hold the packages of the plan", ", ".join(odd))
    requires = required_names(installed, plan.environment.components, plan.python.markers)
    return [
        Package(
            name=name,
            version=package.version,
            kind="component" if origins[name][0] == "component" else "wheel",
            source=origins[name][1],
            source_sha256=origins[name][2],
            licence=package.licence,
            summary=package.summary,
            requires=requires[name],
            files=files[name],
        )
        for name, package in installed.items()
    ]


def _interpreter_package(plan: BuildPlan, entries: dict[str, Entry], bundled: list[str]) -> Package:
    tag = plan.python.cache_tag
    sources = {path: entries[path] for path in bundled}
    rows = [f"{path} {entry.model_dump_json()}" for path, entry in sorted(sources.items())]
    compiled = {compiled_name(path, tag) for path in bundled if path.endswith(".py")}
    return Package(
        name="cpython",
        version=plan.python.version,
        kind="interpreter",
        source_sha256=sha256_bytes("\n".join(rows).encode()),
        licence="PSF-2.0",
        summary="The Python interpreter and its standard library",
        files={path: entries[path] for path in sorted(sources.keys() | compiled & entries.keys())},
    )


def _manifest(
    plan: BuildPlan, stage: Path, packages: list[Package], entries: dict[str, Entry]
) -> Manifest:
    """The manifest, after writing the bill of materials that it lists too."""
    bound = ("bin/python", "pyvenv.cfg") if plan.mode == "host" else ()
    owned = {path for package in packages for path in package.files}
    own = [path for path in walk(stage) if path not in owned and path not in bound]
    files = {path: describe(stage / path) for path in sorted(own)}
    manifest = Manifest(
        stack=plan.stack,
        environment=plan.environment.name,
        lock_sha256=plan.lock.sha256,
        inputs_sha256=plan.inputs_sha256,
        builder=Builder(name=plan.builder.name, version=plan.builder.version, tools=plan.tools),
        platform=platform_of(plan.wheels),
        interpreter=Interpreter(
            mode=plan.mode,
            implementation=plan.python.implementation,
            version=plan.python.version if plan.mode == "bundled" else plan.python.minor,
            cache_tag=plan.python.cache_tag,
            bound=bound,
        ),
        packages=tuple(sorted(packages, key=lambda package: package.name)),
        files=files,
    )
    (stage / SBOM).write_bytes(render_sbom(manifest))
    (stage / SBOM).chmod(0o644)
    files = dict(sorted({**files, SBOM: describe(stage / SBOM)}.items()))
    return Manifest.model_validate({**dict(manifest), "files": files})


def _sync(stage: Path) -> None:
    """Make the finished stage durable before it takes its name (one call for all its files)."""
    descriptor = os.open(stage, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(stage))
    except AttributeError:
        os.sync()
    finally:
        os.close(descriptor)
