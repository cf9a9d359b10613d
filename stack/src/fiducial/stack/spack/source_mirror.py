"""Fill a Spack source mirror with everything that an environment needs, and keep it right.

The index is written first, so that a mirror that is begun says what it lacks; every file takes
its name only with the right digest; a run that is killed or fails leaves what it had, and the
next one fetches the rest. Two runs at once wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.files import fsync_directory, locked, remove_tree
from fiducial.stack.progress import Progress, SilentProgress
from fiducial.stack.spack.lock_graph import Node
from fiducial.stack.spack.mirror_layout import (
    LOCK,
    PARTIAL,
    Held,
    MirrorIndex,
    Source,
    claim,
    make_links,
    open_mirror,
    write_index,
)
from fiducial.stack.spack.mirror_state import (
    Finding,
    MirrorState,
    inspect_files,
    inspect_mirror,
)
from fiducial.stack.spack.obtain_sources import IncompleteMirror, NotHad, obtain
from fiducial.stack.spack.program import Spack
from fiducial.stack.spack.spack_sources import fetch_with_spack
from fiducial.stack.spack.wanted_sources import Wanted
from fiducial.stack.workspace import Workspace


@dataclass(frozen=True)
class Filled:
    """What a run did. ``learned`` are files of builtin's recipes that only Spack could name."""

    files: int
    bytes: int
    fetched: int
    fetched_bytes: int
    learned: tuple[Source, ...] = field(default=(), repr=False)


def fill(
    workspace: Workspace,
    wanted: Wanted,
    folder: Path,
    find_spack: Callable[[], Spack],
    progress: Progress | None = None,
) -> Filled:
    """Bring everything of ``wanted`` into the mirror at ``folder``.

    ``find_spack`` is asked only where some package's files are known to Spack alone. Raises
    IncompleteMirror, after bringing all that can be had, naming what is not there.
    """
    progress = progress if progress is not None else SilentProgress()
    waiting = f"waiting for another run on {folder}"
    claim(folder)
    with locked(folder / LOCK, lambda: progress.note(waiting)):
        return _Filling(workspace, wanted, folder, find_spack, progress).run()


class _Filling:
    """One run on a mirror that is ours alone for as long as it lasts."""

    def __init__(
        self,
        workspace: Workspace,
        wanted: Wanted,
        folder: Path,
        find_spack: Callable[[], Spack],
        progress: Progress,
    ) -> None:
        self.workspace, self.wanted, self.folder = workspace, wanted, folder
        self.find_spack, self.progress = find_spack, progress
        self.index = claim(folder)

    def run(self) -> Filled:
        before = self.index
        kept, unknown = self._known_before(before)
        self._hold((*self.wanted.sources, *kept), unknown)
        state = self._inspect([*self.wanted.sources, *kept])
        wrong = {finding.path for finding in state.findings}
        lacking = [row for row in self.wanted.sources if row.path in wrong]
        again = {row.label for row in kept if row.path in wrong}
        unknown += [row for row in self.wanted.unknown if row.label in again]
        missing = obtain(self.folder, lacking, self.workspace, self.progress)
        came: list[Source] = []
        if unknown:
            came, absent = self._ask_spack(unknown)
            missing += absent
        present = [row for row in kept if row.label not in again]
        after = self._inspect([*lacking, *came]) if lacking or came else MirrorState()
        gone = {row.label for row in missing}
        lost = [f for f in after.findings if f.label not in gone]
        missing += [NotHad(finding.label, finding.detail) for finding in lost]
        sources = (*self.wanted.sources, *present, *came)
        self._hold(sources, [row for row in unknown if row.label in gone])
        sizes = {**state.sizes, **after.sizes}
        self.index = self.index.with_sizes(sizes)
        make_links(self.folder, (row for row in sources if row.path in sizes))
        write_index(self.folder, self.index)
        if missing:
            raise IncompleteMirror(self.folder, missing)
        remove_tree(self.folder / PARTIAL)
        fsync_directory(self.folder)
        return Filled(
            files=len(sources),
            bytes=sum(sizes[row.path] for row in sources),
            fetched=len(after.sizes),
            fetched_bytes=after.bytes,
            learned=tuple(came),
        )

    def _known_before(self, index: MirrorIndex) -> tuple[list[Source], list[Node]]:
        """Files that Spack named in an earlier run, and packages that it has to name now."""
        asked = {label for held in index.environments.values() for label in held.by_spack}
        kept = {
            row.path: row
            for row in index.files.values()
            for node in self.wanted.unknown
            if row.origin == "spack" and row.label == node.label
        }
        unknown = [node for node in self.wanted.unknown if node.label not in asked]
        return [kept[path] for path in sorted(kept)], unknown

    def _hold(self, sources: tuple[Source, ...], absent: list[Node]) -> None:
        """Write down what the environment needs, whether it is there or not."""
        missing = {node.label for node in absent}
        held = Held(
            wheels_lock_sha256=self.wanted.wheels_lock_sha256,
            spack_lock_sha256=self.wanted.spack_lock_sha256,
            files=tuple(sorted(row.path for row in sources)),
            by_spack=tuple(sorted(n.label for n in self.wanted.unknown if n.label not in missing)),
            absent=tuple(sorted(missing)),
        )
        self.index = self.index.with_environment(self.wanted.environment, held, sources)
        write_index(self.folder, self.index)

    def _inspect(self, sources: list[Source]) -> MirrorState:
        with self.progress.phase("verify", len(sources)) as task:
            return inspect_files(self.folder, sources, task.advance)

    def _ask_spack(self, nodes: list[Node]) -> tuple[list[Source], list[NotHad]]:
        """Let Spack fetch; its files move to their places. Without Spack, all are missing."""
        try:
            spack = self.find_spack()
        except EnvironmentProblem as error:
            why = f"only Spack can name its files ({error.problem}: {error.why})"
            return [], [NotHad(node.label, why) for node in nodes]
        environment = self.workspace.environments / self.wanted.environment
        scratch = self.folder / PARTIAL / "spack"
        with self.progress.phase("fetch with Spack", len(nodes)) as task:
            found = fetch_with_spack(
                spack, environment, nodes, scratch, lambda line: task.advance()
            )
        for source, path in found.files:
            target = self.folder / source.path
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        remove_tree(scratch)
        failed = [NotHad(label, why) for label, why in sorted(found.failed.items())]
        return [source for source, _ in found.files], failed


def check(folder: Path, progress: Progress | None = None) -> tuple[MirrorIndex, MirrorState]:
    """The index of the mirror at ``folder``, and how far it is true."""
    progress = progress if progress is not None else SilentProgress()
    index = open_mirror(folder)
    with progress.phase("verify", len(index.files)) as task:
        state = inspect_mirror(folder, index, task.advance)
    absent = [
        Finding("absent", "", label, f"environment {name} needs it; no file of it is known")
        for name, held in index.environments.items()
        for label in held.absent
    ]
    return index, MirrorState(state.sizes, (*state.findings, *absent))


def repair(
    folder: Path,
    workspace: Workspace | None,
    prune: bool = False,
    progress: Progress | None = None,
) -> tuple[MirrorState, list[NotHad]]:
    """Fetch what is missing or corrupt, remake links, with ``prune`` remove what is superfluous.

    Returns how things stand afterwards, and why some files could not be had.
    """
    progress = progress if progress is not None else SilentProgress()
    open_mirror(folder)
    with locked(folder / LOCK, lambda: progress.note(f"waiting for another run on {folder}")):
        index, state = check(folder, progress)
        wrong = {row.path for row in state.findings if row.kind in ("missing", "corrupt")}
        lacking = [row for path, row in index.files.items() if path in wrong]
        missing = obtain(folder, lacking, workspace, progress)
        if prune:
            for finding in state.findings:
                if finding.kind == "superfluous":
                    (folder / finding.path).unlink(missing_ok=True)
        make_links(folder, (row for row in index.files.values() if (folder / row.path).is_file()))
        index, state = check(folder, progress)
        write_index(folder, index.with_sizes(state.sizes))
    return state, missing
