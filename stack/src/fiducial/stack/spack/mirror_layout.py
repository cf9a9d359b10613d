"""A source mirror on disk: where each file lies, and the index that says what the mirror holds.

    DIR/mirror.json                              what is held, for which locks (this program's)
    DIR/_source-cache/archive/ab/ab12…[.ext]     the files, named by their SHA-256: here Spack looks
    DIR/py-numpy/py-numpy-2.4.6                  links with readable names, as Spack makes them
    DIR/wheels/numpy-2.4.6-cp311-….whl           links by file name: what uv and pip look for
    DIR/.partial/ab12…                           begun and not finished; never seen by either

Spack appends the kind of an archive to the name of what it unpacks (``.tar.gz``), and nothing to
what it does not. docs/formats/source-mirror.md describes all of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import ASIDE, write_atomically

NAME = "mirror.json"
ARCHIVES = "_source-cache/archive"
WHEELS = "wheels"
PARTIAL = ".partial"
LOCK = ".fiducial-lock"
_SHA256 = re.compile(r"[0-9a-f]{64}")

Origin = Literal["index", "component", "spack"]
"""Who has the file: the user's package index, this project's releases, or only Spack."""


class Source(BaseModel):
    """One file of a mirror. ``size`` is None until it was fetched once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    version: str
    filename: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    origin: Origin
    path: str
    aliases: tuple[str, ...] = ()
    size: int | None = None

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        return inside(value)

    @field_validator("aliases")
    @classmethod
    def _all_inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(inside(path) for path in value)

    @property
    def label(self) -> str:
        """How a person calls it."""
        return f"{self.package}@{self.version}"

    @property
    def extension(self) -> str:
        """What Spack appended to the digest: the kind of what it unpacks, or nothing."""
        return PurePosixPath(self.path).name.removeprefix(self.sha256).removeprefix(".")


def inside(path: str) -> str:
    """``path``, if it stays in the folder that it is relative to; ValueError otherwise."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError(f"{path!r} leads out of the mirror")
    return path


class Held(BaseModel):
    """What one environment needs of a mirror.

    ``by_spack``: packages whose files were named and fetched by Spack itself; ``absent``: those
    whose files nobody could name, so that the mirror cannot be whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wheels_lock_sha256: str | None
    spack_lock_sha256: str | None
    files: tuple[str, ...]
    by_spack: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class MirrorIndex(BaseModel):
    """mirror.json: what every environment needs, and every file by its path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    environments: dict[str, Held] = {}
    files: dict[str, Source] = {}

    def with_environment(self, name: str, held: Held, sources: Iterable[Source]) -> MirrorIndex:
        """The index that holds ``name`` as well; files that no environment needs any more go."""
        environments = dict(sorted({**self.environments, name: held}.items()))
        sizes = {path: source.size for path, source in self.files.items()}
        new = {row.path: row.model_copy(update={"size": sizes.get(row.path)}) for row in sources}
        known = {**self.files, **new}
        needed = {path for row in environments.values() for path in row.files}
        return MirrorIndex(
            environments=environments, files={path: known[path] for path in sorted(needed)}
        )

    def with_sizes(self, sizes: dict[str, int]) -> MirrorIndex:
        """The index with the sizes of files that are now known."""
        files = {
            path: source.model_copy(update={"size": sizes.get(path, source.size)})
            for path, source in self.files.items()
        }
        return self.model_copy(update={"files": files})

    def render(self) -> bytes:
        """The bytes of mirror.json: the same for the same content."""
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True) + "\n").encode()


def mirror_source(
    package: str, version: str, filename: str, sha256: str, extension: str, origin: Origin
) -> Source:
    """A file by its place in a mirror. ``extension``: what Spack appends (``tar.gz``, or "")."""
    tail = f".{extension}" if extension else ""
    aliases = [f"{package}/{package}-{version}{tail}"]
    if filename.endswith(".whl") and not extension:  # of our locks: not what Spack adds
        aliases.append(f"{WHEELS}/{filename}")
    return Source(
        package=package,
        version=version,
        filename=filename,
        sha256=sha256,
        origin=origin,
        path=f"{ARCHIVES}/{sha256[:2]}/{sha256}{tail}",
        aliases=tuple(aliases),
    )


def open_mirror(folder: Path) -> MirrorIndex:
    """The index of the mirror at ``folder``; refuses what is no mirror of ours."""
    path = folder / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = f"fill one with: fiducial mirror create ENV {folder}"
        raise InputError(f"{folder} is no source mirror", f"it has no {NAME}", hint) from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}", error.strerror) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not readable", str(error)) from error
    try:
        return MirrorIndex.model_validate(json.loads(text))
    except (ValidationError, ValueError) as error:
        why = (
            "; ".join(
                f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors()[:3]
            )
            if isinstance(error, ValidationError)
            else str(error)
        )
        hint = f"put it aside and run 'fiducial mirror create ENV {folder}' again: files are kept"
        raise InputError(f"{path} is damaged, or not of format 1", why, hint) from error


def claimable(folder: Path) -> None:
    """Refuse a folder that holds something else than a mirror; touches nothing.

    A folder is taken where it is absent, is empty, or has what a mirror has but for its index.
    """
    if (folder / NAME).exists() or not folder.exists():
        return
    try:
        names = {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise from_os_error(error, "make a mirror at", folder) from error
    if names - {LOCK} and ARCHIVES.split("/")[0] not in names:
        seen = ", ".join(sorted(names)[:3])
        why = f"it is no source mirror: it holds {seen}"
        raise InputError(f"{folder} is not taken", why, "name a new or an empty folder")


def claim(folder: Path) -> MirrorIndex:
    """The mirror at ``folder`` to be filled: the one that is there, or a new one."""
    claimable(folder)
    if (folder / NAME).exists():
        return open_mirror(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, "make a mirror at", folder) from error
    return MirrorIndex()


def write_index(folder: Path, index: MirrorIndex) -> None:
    """Write mirror.json, whole or not at all."""
    write_atomically(folder / NAME, index.render())


def make_links(folder: Path, sources: Iterable[Source]) -> int:
    """Make the readable names of ``sources``; returns how many were missing or wrong."""
    made = 0
    for source in sources:
        for alias in source.aliases:
            link = folder / alias
            target = os.path.relpath(source.path, start=PurePosixPath(alias).parent)
            if link.is_symlink() and str(link.readlink()) == target:
                continue
            made += 1
            try:
                link.parent.mkdir(parents=True, exist_ok=True)
                temporary = link.with_name(f".{link.name}{ASIDE}link")
                temporary.unlink(missing_ok=True)
                temporary.symlink_to(target)
                temporary.replace(link)
            except OSError as error:
                raise from_os_error(error, "link", link) from error
    return made


def walk_mirror(folder: Path) -> list[str]:
    """Every file and link of a mirror by its path in it; what is begun, and our own, left out."""
    found = []
    for place, folders, names in os.walk(folder):
        here = Path(place).relative_to(folder)
        if here == Path():
            folders[:] = [name for name in folders if name != PARTIAL]
            names = [name for name in names if name not in (NAME, LOCK)]
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        found += [(here / name).as_posix() for name in (*names, *linked)]
    return sorted(found)
