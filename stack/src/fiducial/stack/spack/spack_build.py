"""The Spack builder: Spack installs the environment, and its packages are laid out in a prefix.

Spack works in an environment of our own below the store (``workshop``), so that neither the user's
configuration nor the checkout is written to. Concretize, fetch and install each go on where a
killed run stopped: a finished concretization and installed packages stay. What was concretized is
compared with the lock before anything is installed. docs/explanation/spack-builder.md tells why.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.build_plan import BuildPlan
from fiducial.stack.builders import BuildSettings
from fiducial.stack.component_wheel import cache_directory
from fiducial.stack.environment import Environment
from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.files import locked, sha256_bytes
from fiducial.stack.interpreter import Python, find_host_python
from fiducial.stack.progress import Progress
from fiducial.stack.spack.concretized import locked_nodes
from fiducial.stack.spack.layout import StoredPackage, lay_out, read_all
from fiducial.stack.spack.lock_graph import Node, read_spack_lock
from fiducial.stack.spack.originals import Originals
from fiducial.stack.spack.program import Spack, find_spack
from fiducial.stack.spack.spack_plan import define_inputs, environment_document
from fiducial.stack.spack.workshop import Workshop
from fiducial.stack.wheel_choice import ChosenWheel
from fiducial.stack.workspace import Workspace

_INSTALLED = re.compile(r"^\[\+\] |: finished$")
_TESTED = re.compile(r"^==> Testing package ")
_REMEDY = "remove the package with spack uninstall, or the whole store, and build again"


class SpackBuilder:
    """Installs with Spack, into a store that later builds use again."""

    name = "spack"
    version = "1"

    def __init__(self, settings: BuildSettings) -> None:
        self.settings = settings
        store = settings.store or cache_directory() / "spack" / "store"
        self.workshop = Workshop(store.absolute())
        self.damaged = (f"Spack's store {self.workshop.store}", _REMEDY)
        self.mirrors = [_mirror_url(mirror) for mirror in settings.mirrors]
        if settings.jobs is not None and settings.jobs < 1:
            raise InputError(f"--jobs {settings.jobs} is no number of processes")

    @cached_property
    def spack(self) -> Spack:
        """The program; EnvironmentProblem where there is none that will do."""
        return find_spack()

    def find_python(self, environment: Environment, wanted: str | Path | None) -> Python:
        """The recipes are for one minor version: the oldest that the lock holds for."""
        return find_host_python(environment.resolve_for, wanted)

    def tools(self) -> Mapping[str, str]:
        """Spack, and the repository of recipes that comes with it."""
        version = " ".join(part for part in (self.spack.version, self.spack.commit) if part)
        return {"spack": version, "builtin": self._builtin}

    @cached_property
    def _builtin(self) -> str:
        return self.spack.recipes_commit() or "of no known commit"

    def inputs(
        self, workspace: Workspace, environment: Environment, wheels: Sequence[ChosenWheel]
    ) -> Mapping[str, Any]:
        """The definition of the environment and the recipes that it needs."""
        return define_inputs(workspace, environment, wheels)

    def install(self, plan: BuildPlan, stage: Path, progress: Progress) -> None:
        """Let Spack install everything, then copy it into ``stage``."""
        store = self.workshop.store
        waiting = f"waiting for another build that uses {store}"
        with locked(self.workshop.lock_file, lambda: progress.note(waiting)):
            folder = self._environment(plan, progress)
            nodes = self._concretize(plan, folder, progress)
            prefixes = self._installed(folder)
            missing = [node for node in nodes.values() if node.hash not in prefixes]
            if missing:
                prefixes = self._install(folder, prefixes, progress)
            if self.settings.test:
                self._test(folder, nodes, progress)
            wheels = {wheel.package.name: wheel.sha256 for wheel in plan.wheels}
            wanted = [
                StoredPackage(
                    name, node.version, Path(prefixes[node.hash]), node.hash, wheels.get(name)
                )
                for name, node in nodes.items()
            ]
            packages = read_all(wanted, plan.python.minor, _REMEDY)
            originals = Originals(_downloads(), lambda dag: self._fetch_again(folder, dag))
            with progress.phase("lay out", len(packages)) as task:
                lay_out(packages, stage, originals, _REMEDY, task.advance)
            self.workshop.prune()

    def _fetch_again(self, folder: Path, dag: str) -> None:
        self.spack.run("fetch", f"/{dag}", environment=folder, action=f"fetch /{dag[:7]} again")

    def _environment(self, plan: BuildPlan, progress: Progress) -> Path:
        """The folder of the environment that this build concretizes and installs."""
        with progress.phase("component sources", len(plan.sources)) as task:
            sources = self.workshop.write_sources(plan.sources, task.advance)
        document = environment_document(
            plan.workspace, plan.environment, sources, plan.python, self.mirrors,
            {
                "install_tree": {"root": str(self.workshop.store)},
                "build_stage": [str(self.workshop.root / "stage")],
                "test_stage": str(self.workshop.root / "tests"),
                "source_cache": str(_downloads()),
            },
        )  # fmt: skip
        text = yaml.safe_dump(document, sort_keys=True)
        moving = [plan.inputs[name] for name in ("spack.yaml", "recipes")]
        digest = sha256_bytes(json.dumps([text, plan.tools, moving]).encode())
        return self.workshop.write_environment(plan.environment.name, digest, text)

    def _concretize(self, plan: BuildPlan, folder: Path, progress: Progress) -> dict[str, Node]:
        """The package of each distribution of the plan; concretized only where it is not yet."""
        lock = folder / "spack.lock"
        if lock.is_file():
            try:
                read_spack_lock(lock)
            except (InputError, Mistakes):
                lock.unlink()  # damaged: made anew
        if not lock.is_file():
            with progress.phase("concretize"):
                action = f"concretize {plan.environment.name}"
                self.spack.run("concretize", environment=folder, action=action)
        return locked_nodes(read_spack_lock(lock), plan)

    def _installed(self, folder: Path) -> dict[str, str]:
        """Where each package of the environment is installed, by its hash."""
        action = "ask Spack what is installed"
        answer = self.spack.run(
            "find", "--format", "{hash} {prefix}", environment=folder, action=action
        )
        rows = (line.split(" ", 1) for line in answer.stdout.splitlines() if " /" in line)
        return {row[0]: row[1] for row in rows}

    def _install(self, folder: Path, have: Mapping[str, str], progress: Progress) -> dict[str, str]:
        nodes = read_spack_lock(folder / "spack.lock").nodes
        missing = [node for node in nodes.values() if node.hash not in have and not node.external]
        name = folder.name.rpartition("-")[0]
        from_elsewhere = [node for node in missing if "dev_path" not in _parameters(node)]
        if from_elsewhere:
            self._fetch(progress, len(from_elsewhere), folder, f"fetch the sources of {name}")
        jobs = ["-j", str(self.settings.jobs)] if self.settings.jobs else []
        self._count(
            progress, "install", len(missing), _INSTALLED, folder,
            f"install {name}", "install", "--only-concrete", "--no-cache", *jobs,
        )  # fmt: skip
        found = self._installed(folder)
        if gone := [node.label for node in missing if node.hash not in found]:
            raise EnvironmentProblem(
                f"Spack did not install {', '.join(sorted(gone)[:5])}",
                "though it said that it did",
                "build again",
            )
        return found

    def _fetch(self, progress: Progress, total: int, folder: Path, action: str) -> None:
        """Fetch what is missing. Spack names what it had; what is new is seen in the cache."""
        had = 0
        before = _fetched()
        with progress.phase("fetch", total) as task:

            def look() -> None:
                task.update(min(total, had + _fetched() - before))

            def read(line: str) -> None:
                nonlocal had
                had += line.startswith("==> Using cached archive")

            with _every_second(look):
                self.spack.run(
                    "fetch", "--dependencies", "--missing", environment=folder, action=action,
                    on_line=read,
                )  # fmt: skip
            task.update(total)

    def _test(self, folder: Path, nodes: Mapping[str, Node], progress: Progress) -> None:
        action = f"pass the tests of {folder.name.rpartition('-')[0]}"
        self._count(progress, "test", len(nodes), _TESTED, folder, action, "test", "run")

    def _count(
        self,
        progress: Progress,
        phase: str,
        total: int,
        sign: re.Pattern[str],
        folder: Path,
        action: str,
        *arguments: str,
    ) -> None:
        """Run Spack in a phase that advances by one for each line with ``sign``."""
        with progress.phase(phase, total) as task:

            def read(line: str) -> None:
                if sign.search(line) and task.done < total:
                    task.advance()

            self.spack.run(*arguments, environment=folder, action=action, on_line=read)
            task.update(total)


def _downloads() -> Path:
    """Where Spack keeps what it fetched for us."""
    return cache_directory() / "spack" / "downloads"


def _fetched() -> int:
    """How many files are in the cache of downloads."""
    return sum(path.is_file() for path in _downloads().glob("_source-cache/archive/*/*"))


@contextmanager
def _every_second(look: Callable[[], None]) -> Iterator[None]:
    """Call ``look`` once a second while the body runs."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(1.0):
            look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _parameters(node: Node) -> Mapping[str, Any]:
    found = node.content.get("parameters", {})
    return found if isinstance(found, Mapping) else {}


def _mirror_url(mirror: str) -> str:
    """The address of a mirror that was given as one, or as a folder."""
    if "://" in mirror:
        return mirror
    path = Path(mirror).absolute()
    if not path.is_dir():
        raise InputError(f"no mirror at {path}", None, "fill one with: fiducial mirror create")
    return path.as_uri()
