"""Spack's build cache: push what is installed, signed; install elsewhere from it alone, verified.

Spack does both, in an environment of our own below the store, with a configuration that names
this one cache and this one store, and a keyring that holds the keys that count and no others.
Before anything is installed every entry is judged, so that a refusal has a name and a reason
(Spack itself only says that it found no binary). What is there already is not pushed, or
installed, again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import InputError, NegativeAnswer, did_you_mean
from fiducial.stack.files import locked, write_atomically
from fiducial.stack.progress import Progress, SilentProgress
from fiducial.stack.spack.build_cache_entries import (
    Cache,
    Entry,
    Wanted,
    judge_entries,
    require_cache,
)
from fiducial.stack.spack.lock_graph import SpackLock, read_spack_lock
from fiducial.stack.spack.openpgp import Keyring, Standing, keyring
from fiducial.stack.spack.program import Spack
from fiducial.stack.spack.recipes import repository
from fiducial.stack.spack.spack_lock import refuse_stale_lock
from fiducial.stack.workspace import Workspace

NAMESPACES = ("fiducial", "fiducial_wheels")
MIRROR = "fiducial-buildcache"


class RefusedEntries(NegativeAnswer):
    """A build cache does not hold what is wanted, as it is wanted; ``entries`` are the bad ones."""

    def __init__(self, what: str, entries: Sequence[Entry], hint: str | None = None) -> None:
        self.entries = tuple(entries)
        rows = [f"{row.wanted.label}: {row.problem}" for row in self.entries[:20]]
        if len(self.entries) > len(rows):
            rows.append(f"and {len(self.entries) - len(rows)} more")
        super().__init__(what, "".join(f"\n  {row}" for row in rows) + "\n", hint)


@dataclass(frozen=True)
class Concrete:
    """A concretized environment: its name, the folder that it is defined in, and its lock."""

    name: str
    folder: Path
    lock: SpackLock

    @property
    def wanted(self) -> list[Wanted]:
        """What is linked or run, and does not come from the host."""
        nodes = [self.lock.nodes[digest] for digest in self.lock.used()]
        rows = [Wanted(row.name, row.version, row.hash) for row in nodes if not row.external]
        return sorted(rows, key=lambda row: (row.name, row.hash))


@dataclass(frozen=True)
class Done:
    """What was pushed or installed, and what was there before."""

    packages: int
    new: int
    bytes: int
    signers: tuple[str, ...]


def find_concrete(workspace: Workspace, name: str) -> Concrete:
    """The environment ``name`` of the workspace, or the one at a path, with its spack.lock."""
    folder = Path(name) if "/" in name or name in (".", "..") else workspace.environments / name
    if not (folder / "spack.yaml").is_file():
        names = [path.parent.name for path in workspace.environments.glob("*/spack.yaml")]
        raise InputError(f"no Spack environment '{name}'", None, did_you_mean(name, names))
    lock = read_spack_lock(folder / "spack.lock")
    refuse_stale_lock(workspace, folder.resolve())
    return Concrete(folder.resolve().name, folder, lock)


def push(
    workspace: Workspace,
    spack: Spack,
    environment: Concrete,
    cache: Cache,
    store: Path | None,
    ring: Keyring | None,
    force: bool = False,
    jobs: int = 2,
    progress: Progress | None = None,
) -> Done:
    """Push what of ``environment`` is used at run time, signed with the key of ``ring``.

    Without a ``ring`` it is pushed unsigned. ``store`` is None for where this host's Spack
    installs. Raises RefusedEntries where the cache has other entries, unless ``force``.
    """
    progress = progress if progress is not None else SilentProgress()
    wanted = environment.wanted
    before = _judged(cache, wanted, ring, progress, "what is there") if cache.readable else []
    foreign = [row for row in before if row.problem and not _absent(row)]
    if foreign and not force:
        raise RefusedEntries(
            f"{cache.address} has other entries of {len(foreign)} packages",
            foreign,
            "push over them with --force, or name another build cache",
        )
    good = {row.wanted.hash for row in before if not row.problem}
    rest = [row for row in wanted if row.hash not in good]
    with _session(workspace, environment, store, cache, ring) as session:
        if rest:
            command = ["buildcache", "push", "--update-index", "--only", "package"]
            command += ["-j", str(jobs), *(["--force"] if force else [])]
            command += ["--key", ring.secret_fingerprints()[0]] if ring else ["--unsigned"]
            command += [MIRROR, *(f"/{row.hash}" for row in rest)]
            with progress.phase("push", len(rest)) as task:
                session.run(
                    spack, *command, action=f"push {environment.name} to {cache.address}",
                    on_line=lambda line: task.advance() if "Pushed " in line else None,
                )  # fmt: skip
        if ring is not None and (rest or not _published(cache, ring)):
            with progress.phase("publish the key"):
                command = ["gpg", "publish", "--update-index", "-m", MIRROR]
                session.run(spack, *command, action=f"publish the key in {cache.address}")
    after = before
    if rest and cache.readable:
        after = _judged(cache, wanted, ring, progress, "verify")
    wrong = [row for row in after if row.problem]
    if wrong:
        raise RefusedEntries(f"{cache.address} is not as it was pushed", wrong, "push again")
    return _done(wanted, len(rest), after)


def install(
    workspace: Workspace,
    spack: Spack,
    environment: Concrete,
    cache: Cache,
    store: Path,
    ring: Keyring,
    unsigned: bool = False,
    jobs: int = 2,
    progress: Progress | None = None,
) -> Done:
    """Install ``environment`` into ``store`` from the cache alone, by signatures of ``ring``.

    Raises RefusedEntries, before anything is installed, where an entry is missing, altered, or
    signed by nobody in ``ring`` (unless ``unsigned`` ones are allowed).
    """
    progress = progress if progress is not None else SilentProgress()
    wanted = environment.wanted
    entries: list[Entry] = []
    require_cache(cache)
    if cache.readable:
        entries = _judged(cache, wanted, ring, progress, "verify", unsigned)
        if wrong := [row for row in entries if row.problem]:
            raise RefusedEntries(f"{cache.address} is refused", wrong, _remedy(wrong))
    with _session(workspace, environment, store, cache, ring) as session:
        before = session.installed(spack)
        command = ["install", "--only-concrete", "--cache-only", "-j", str(jobs)]
        command += ["--no-check-signature"] if unsigned else []
        with progress.phase("install from the build cache", len(wanted)) as task:
            session.run(
                spack, *command, action=f"install {environment.name} from {cache.address}",
                on_line=lambda line: task.advance() if line.startswith("[+]") else None,
            )  # fmt: skip
        after = session.installed(spack)
    absent = [Entry(row, problem="not installed") for row in wanted if row.hash not in after]
    if absent:
        raise RefusedEntries(f"{store} is not complete", absent, "run it again")
    new = sum(1 for row in wanted if row.hash not in before)
    return _done(wanted, new, entries)


def _done(wanted: list[Wanted], new: int, entries: list[Entry]) -> Done:
    signers = sorted({row.fingerprint for row in entries if row.standing is Standing.GOOD})
    return Done(len(wanted), new, sum(row.size for row in entries), tuple(signers))


def _absent(entry: Entry) -> bool:
    return entry.standing is None and entry.problem.startswith("not in the build cache")


def _published(cache: Cache, ring: Keyring) -> bool:
    return cache.readable and cache.public_key(ring.secret_fingerprints()[0]) is not None


def _remedy(wrong: Sequence[Entry]) -> str:
    """What to try, by the gravest of what is wrong."""
    if any(row.standing is Standing.UNTRUSTED for row in wrong):
        return "if you trust that key, say so: --trust FINGERPRINT"
    if any(row.standing is Standing.UNSIGNED for row in wrong):
        return "have it pushed with --key, or accept it as it is with --unsigned"
    if all(_absent(row) for row in wrong):
        return "push them: fiducial buildcache push"
    return "do not use this build cache: have it pushed again"


def _judged(
    cache: Cache,
    wanted: list[Wanted],
    ring: Keyring | None,
    progress: Progress,
    phase: str,
    unsigned: bool = False,
) -> list[Entry]:
    with progress.phase(phase, len(wanted)) as task:
        if ring is not None:
            return judge_entries(cache, wanted, ring, unsigned, task.advance)
        with keyring() as nobody:
            return judge_entries(cache, wanted, nobody, True, task.advance)


class _Session:
    """Spack in an environment that is the lock and nothing else, on one store and one cache."""

    def __init__(self, folder: Path, scopes: list[Path], ring: Keyring | None) -> None:
        self.folder, self.scopes, self.ring = folder, scopes, ring

    def run(self, spack: Spack, *arguments: str, action: str, on_line: Any = None) -> str:
        done = spack.run(
            *arguments, environment=self.folder, scopes=self.scopes, action=action,
            on_line=on_line, extra_env=self.ring.environment if self.ring else None,
        )  # fmt: skip
        return done.stdout

    def installed(self, spack: Spack) -> set[str]:
        """Hashes of everything in the store."""
        done = spack.run(
            "find", "--format", "{hash}", scopes=self.scopes, action="ask what is installed"
        )
        return set(done.stdout.split())


@contextmanager
def _session(
    workspace: Workspace,
    environment: Concrete,
    store: Path | None,
    cache: Cache,
    ring: Keyring | None,
) -> Iterator[_Session]:
    """A session for as long as nobody else works on the same store through us."""
    if store is None:
        with tempfile.TemporaryDirectory(prefix="fiducial-buildcache-") as scratch:
            yield _write(Path(scratch), workspace, environment, None, cache, ring)
        return
    place = store.absolute() / ".fiducial" / "buildcache"
    with locked(place / "lock"):
        folder = place / environment.name
        folder.mkdir(parents=True, exist_ok=True)
        yield _write(folder, workspace, environment, store.absolute(), cache, ring)


def _write(
    folder: Path,
    workspace: Workspace,
    environment: Concrete,
    store: Path | None,
    cache: Cache,
    ring: Keyring | None,
) -> _Session:
    """The environment's folder and its configuration scope."""
    scope = folder / "scope"
    scope.mkdir(exist_ok=True)
    view = str(store / "view" / environment.name) if store is not None else False
    specs = list(environment.lock.roots.values())
    write_atomically(
        folder / "spack.yaml", yaml.safe_dump({"spack": {"specs": specs, "view": view}})
    )
    write_atomically(folder / "spack.lock", (environment.folder / "spack.lock").read_bytes())
    # "mirrors:" with its colon stands in the place of all mirrors of other scopes
    mirror = {"url": cache.address, "source": False, "binary": True, "signed": ring is not None}
    write_atomically(scope / "mirrors.yaml", yaml.safe_dump({"mirrors:": {MIRROR: mirror}}))
    places = {name: str(repository(workspace, name)) for name in NAMESPACES}
    write_atomically(scope / "repos.yaml", yaml.safe_dump({"repos": places}))
    if store is not None:
        tree = {"config": {"install_tree": {"root": str(store)}}}
        write_atomically(scope / "config.yaml", yaml.safe_dump(tree))
    host = workspace.environments / "host"
    return _Session(folder, [*([host] if host.is_dir() and store is None else []), scope], ring)
