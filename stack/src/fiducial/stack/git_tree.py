"""What git knows of a folder: its tree, the files of a tree, what is not committed.

Only looks: where a tree must be named that git has not seen yet (a folder with a changed file),
its objects go to a scratch place, and the repository stays as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.tools import clean_environment

_REGULAR = {"100644": False, "100755": True}


@dataclass(frozen=True)
class TreeFile:
    """A file of a tree: its blob's id, and whether it is executable."""

    blob: str
    executable: bool


class Repository:
    """The git repository that holds the checkout ``root``."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        self._environment = {**clean_environment(), "LC_ALL": "C", **(environment or {})}
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX"):
            self._environment.pop(name, None)

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        """What ``git arguments`` prints; InputError where it fails."""
        program = shutil.which("git")
        if program is None:
            raise EnvironmentProblem("cannot find git", None, "install it")
        done = subprocess.run(
            [program, "-c", "core.quotePath=false", *arguments],
            cwd=self.root,
            env=self._environment,
            input=data if data is not None else b"",
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"
            raise InputError(f"git {arguments[0]} failed in {self.root}", said)
        return done.stdout

    def text(self, *arguments: str) -> str:
        """The same as one line of text."""
        return self.run(*arguments).decode().strip()

    def has(self, name: str) -> bool:
        """Whether the repository holds the object ``name``."""
        try:
            self.run("cat-file", "-e", name)
        except InputError:
            return False
        return True

    def uncommitted(self, folders: Sequence[str]) -> list[str]:
        """Files below ``folders`` that differ from the last commit, also unknown ones."""
        listing = self.run(
            "status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--", *folders
        )
        return sorted(row[3:] for row in listing.decode().split("\0") if row)

    def files(self, tree: str) -> dict[str, TreeFile]:
        """The files of a tree by their path; refuses links and submodules."""
        found = {}
        for row in self.run("ls-tree", "-r", "-z", "--full-tree", tree).decode().split("\0"):
            if not row:
                continue
            head, path = row.split("\t", 1)
            mode, _, blob = head.split(" ")
            if mode not in _REGULAR:
                raise InputError(f"{path} is not a regular file", None, "remove it")
            found[path] = TreeFile(blob, _REGULAR[mode])
        return found

    def blobs(self, names: Sequence[str]) -> dict[str, bytes]:
        """The content of blobs by their id."""
        question = "".join(f"{name}\n" for name in names).encode()
        answer = self.run("cat-file", "--batch", data=question)
        found, at = {}, 0
        for name in names:
            end = answer.index(b"\n", at)
            head = answer[at:end].decode().split(" ")
            if len(head) != 3:
                raise InputError(f"git has no object {name}")
            found[name] = answer[end + 1 : end + 1 + int(head[2])]
            at = end + 1 + int(head[2]) + 1
        return found

    def tree(self, folder: str, changed: Mapping[str, bytes]) -> str:
        """The tree of the committed ``folder`` with the files ``changed`` (by path in it)."""
        self.run("read-tree", "HEAD")
        for path, data in changed.items():
            blob = self.run("hash-object", "-w", "--stdin", data=data).decode().strip()
            self.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{folder}/{path}")
        return self.text("write-tree", f"--prefix={folder}/")


def find_repository(root: Path) -> Repository | None:
    """The repository of a checkout; None where it has none, or git is missing."""
    if shutil.which("git") is None:
        return None
    repository = Repository(root)
    try:
        inside = repository.text("rev-parse", "--is-inside-work-tree", "--show-toplevel").split(
            "\n"
        )
    except InputError:
        return None
    top = Path(inside[1]).resolve() == root.resolve() if len(inside) == 2 else False
    return repository if inside[0] == "true" and top else None


@contextmanager
def scratch(repository: Repository) -> Iterator[Repository]:
    """The same repository with an index and new objects of its own, both thrown away."""
    objects = repository.root / repository.text("rev-parse", "--git-path", "objects")
    with tempfile.TemporaryDirectory(prefix="fiducial-git-") as folder:
        place = Path(folder, "objects")
        place.mkdir()
        others = [str(objects), os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")]
        yield Repository(
            repository.root,
            {
                "GIT_INDEX_FILE": str(Path(folder, "index")),
                "GIT_OBJECT_DIRECTORY": str(place),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(filter(None, others)),
            },
        )
