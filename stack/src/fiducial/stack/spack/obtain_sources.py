"""Bring given files into a mirror: from the package index, or made again from a release.

All that can be had is fetched before anything is said about what cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.progress import Progress, Task
from fiducial.stack.spack.fetching import Download, Failed, fetch_all
from fiducial.stack.spack.index_addresses import find_addresses
from fiducial.stack.spack.mirror_layout import PARTIAL, Source
from fiducial.stack.spack.releases import make_archive, released_archives
from fiducial.stack.workspace import Workspace


@dataclass(frozen=True)
class NotHad:
    """A file that could not be brought, and why."""

    label: str
    why: str

    def __str__(self) -> str:
        return f"{self.label}: {self.why}"


class IncompleteMirror(EnvironmentProblem):
    """Some files are not there; what came is kept. ``missing`` names them all."""

    def __init__(self, folder: Path, missing: Sequence[NotHad], hint: str | None = None) -> None:
        self.missing = tuple(missing)
        rows = [str(row) for row in self.missing[:20]]
        if len(self.missing) > len(rows):
            rows.append(f"and {len(self.missing) - len(rows)} more")
        count = len(self.missing)
        super().__init__(
            f"the mirror {folder} is not complete",
            f"{count} file{'s' if count != 1 else ''} could not be had",
            "\n".join([hint or "run it again: what came is kept", *(f"  {row}" for row in rows)]),
        )


def obtain(
    folder: Path, sources: Iterable[Source], workspace: Workspace | None, progress: Progress
) -> list[NotHad]:
    """Bring ``sources`` to their places in ``folder``; returns those that could not be had.

    Raises EnvironmentProblem where the index is not reached at all, or the disk is full.
    """
    rows = list(sources)
    missing = _make_archives(
        folder, [row for row in rows if row.origin == "component"], workspace, progress
    )
    for row in rows:
        if row.origin == "spack":
            hint = "only Spack can fetch it: fiducial mirror create for its environment"
            missing.append(NotHad(row.label, hint))
    return missing + _fetch(folder, [row for row in rows if row.origin == "index"], progress)


def _make_archives(
    folder: Path, sources: list[Source], workspace: Workspace | None, progress: Progress
) -> list[NotHad]:
    missing: list[NotHad] = []
    if not sources:
        return missing
    released = {}
    if workspace is not None:
        released = {row.sha256: row for row in released_archives(workspace)}
    with progress.phase("released components", len(sources)) as task:
        for source in sources:
            if workspace is None:
                missing.append(NotHad(source.label, "it is made from a checkout: run it in one"))
            elif source.sha256 not in released:
                missing.append(NotHad(source.label, "releases.yaml has no such archive"))
            else:
                try:
                    make_archive(workspace, released[source.sha256], folder / source.path)
                except InputError as error:
                    missing.append(NotHad(source.label, str(error)))
                except EnvironmentProblem as error:
                    if isinstance(error.__cause__, OSError):
                        raise  # the disk, not the history
                    missing.append(NotHad(source.label, str(error)))
            task.advance()
    return missing


def _fetch(folder: Path, sources: list[Source], progress: Progress) -> list[NotHad]:
    if not sources:
        return []
    with progress.phase("find them in the package index"):
        addresses = find_addresses(sources)
    missing = [
        NotHad(row.label, f"the package index has no file with SHA-256 {row.sha256[:12]}…")
        for row in sources
        if row.sha256 not in addresses
    ]
    downloads = [
        Download(
            label=row.label,
            address=addresses[row.sha256].url,
            sha256=row.sha256,
            partial=folder / PARTIAL / Path(row.path).name,
            target=folder / row.path,
            size=addresses[row.sha256].size or row.size,
        )
        for row in sources
        if row.sha256 in addresses
    ]
    total = sum(row.size or 0 for row in downloads)
    with progress.phase(f"fetch {len(downloads)} files (MB)", -(-total // 10**6)) as task:
        failed = fetch_all(downloads, _Megabytes(task))
    return missing + [NotHad(row.download.label, _why(row)) for row in failed]


def _why(failed: Failed) -> str:
    if failed.altered:
        return f"the package index served another file ({failed.why})"
    return failed.why


class _Megabytes:
    """Counts bytes from many threads, and tells a task the whole megabytes."""

    def __init__(self, task: Task) -> None:
        self.task, self.count, self.lock = task, 0, threading.Lock()

    def __call__(self, count: int) -> None:
        with self.lock:
            before = self.count // 10**6
            self.count += count
            if self.count // 10**6 != before:
                self.task.update(max(0, self.count // 10**6))
