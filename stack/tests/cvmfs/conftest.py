"""A repository with keys and a small tree to publish; keys are made once, they are slow."""

# ruff: noqa: PTH113, PTH114, PTH115, PTH118, PTH123

from __future__ import annotations

import datetime
import os
import shutil
from pathlib import Path

import pytest

from fiducial.stack.cvmfs.compression import Encoder
from fiducial.stack.cvmfs.key_files import KeyFiles, load_master_public
from fiducial.stack.cvmfs.reader import RepositoryView
from fiducial.stack.cvmfs.repository import Repository, create_repository
from fiducial.stack.cvmfs.revision import Demands, read_revision
from fiducial.stack.cvmfs.settings import Settings

NAME = "software.example.org"
EPOCH = 1_700_000_000


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cvmfs-keys")
    KeyFiles(folder, NAME).create(datetime.datetime.now(datetime.UTC))
    return folder


@pytest.fixture(scope="session")
def foreign_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign-keys")
    files = KeyFiles(folder, NAME)
    files.create(datetime.datetime.now(datetime.UTC))
    return files


class Workshop:
    """A repository in a folder of its own, and what tests do with it."""

    def __init__(self, folder: Path, keys: KeyFiles, encoder: Encoder, algorithm) -> None:
        self.folder, self.keys = folder, keys
        self.now = datetime.datetime.now(datetime.UTC)
        self.root = folder / NAME
        settings = Settings(NAME, encoder, algorithm)
        self.repository: Repository = create_repository(
            self.root, settings, keys, self.now, {"administrator": "tests"}, existing_keys=True
        )
        self.signer = keys.load_repository_key()
        self.masters = [load_master_public(keys.master_public)]

    def publish(self, tree: Path, path: bytes = b"/sw/1", **settings):
        with self.repository.transaction(self.signer) as transaction:
            transaction.put_tree(tree, path, **settings)
            return transaction.commit()

    def change(self, *actions):
        with self.repository.transaction(self.signer) as transaction:
            for name, *arguments in actions:
                getattr(transaction, name)(*arguments)
            return transaction.commit()

    def view(self, **demands) -> RepositoryView:
        source = self.repository.storage
        demanded = Demands(self.masters, NAME, self.now, **demands)
        return RepositoryView(source, read_revision(source, demanded))

    def check(self, **settings):
        from fiducial.stack.cvmfs.check import check_repository

        return check_repository(self.repository.storage, self.masters, self.now, NAME, **settings)

    def objects(self) -> set[str]:
        return {item.name for item in self.repository.storage.objects()}


@pytest.fixture
def make_workshop(tmp_path, key_folder):
    from fiducial.stack.cvmfs.digest import Algorithm

    def make(encoder=Encoder("zlib", 1), algorithm=Algorithm.SHA1, name="site"):
        folder = tmp_path / name
        folder.mkdir()
        return Workshop(folder, KeyFiles(key_folder, NAME), encoder, algorithm)

    return make


@pytest.fixture(scope="module")
def make_workshop_once(tmp_path_factory, key_folder):
    """One repository for many examples."""
    from fiducial.stack.cvmfs.digest import Algorithm

    folder = tmp_path_factory.mktemp("many")
    return Workshop(folder, KeyFiles(key_folder, NAME), Encoder("zlib", 1), Algorithm.SHA1)


@pytest.fixture
def workshop(make_workshop):
    return make_workshop()


def write(path: Path, data: bytes | str = b"", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    path.chmod(mode)
    return path


def settle(root: Path) -> None:
    """Give everything below ``root`` one old time."""
    for folder, names, files in os.walk(root, topdown=False):
        for name in names + files:
            os.utime(Path(folder) / name, (EPOCH, EPOCH), follow_symlinks=False)
    os.utime(root, (EPOCH, EPOCH))


@pytest.fixture
def tree(tmp_path):
    return grow(tmp_path / "tree")


def grow(root: Path) -> Path:
    """A small stack: files, an empty one, a program, links of all kinds, two packages."""
    write(root / "setup.sh", "export A=1\n")
    write(root / "empty")
    write(root / "bin/run", "#!/bin/sh\necho run\n", 0o755)
    (root / "bin/again").symlink_to("run")
    (root / "dangling").symlink_to("nowhere/at/all")
    os.link(root / "setup.sh", root / "setup-again.sh")
    for package in ("alpha", "beta"):
        for number in range(5):
            write(root / f"lib/python3.11/site-packages/{package}/m{number}.py", f"x = {number}\n")
    settle(root)
    return root


def snapshot(root: Path) -> dict[str, tuple]:
    """All that a tree is: kinds, modes, times, contents, targets, which names are one file."""
    found: dict[str, tuple] = {}
    first: dict[tuple[int, int], str] = {}
    top = os.fsencode(root)
    for folder, names, files in sorted(os.walk(top)):
        for name in sorted(names + files):
            path = os.path.join(folder, name)
            key = path[len(top) :]
            status = os.lstat(path)
            content = None
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as stream:
                    content = stream.read()
            leader = None
            if status.st_nlink > 1 and os.path.isfile(path) and not os.path.islink(path):
                leader = first.setdefault((status.st_ino, folder), key)
            mtime = int(status.st_mtime)
            found[key] = (oct(status.st_mode), mtime, content, leader)
    return found


@pytest.fixture
def clone(tmp_path):
    """A copy of a folder, to be damaged."""
    numbers = iter(range(1000))

    def copy(folder: Path) -> Path:
        target = tmp_path / f"clone{next(numbers)}"
        shutil.copytree(folder, target, symlinks=True)
        return target

    return copy
