"""What the commands of ``fiducial repo`` share: options, keys, opening, answering."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fiducial.stack.cvmfs.key_files import KeyFiles
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.repository import Repository
    from fiducial.stack.cvmfs.signing import MasterKey
    from fiducial.stack.cvmfs.verified_objects import Source

Where = Annotated[Path, typer.Argument(metavar="REPO", help="The repository's folder.")]
Address = Annotated[str, typer.Argument(metavar="REPO", help="Folder or http(s) address.")]
Inside = Annotated[str, typer.Argument(metavar="PATH", help="Path inside the repository: /a/b.")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="Folder of the keys (default: your own)."),
]
Master = Annotated[
    list[Path] | None,
    typer.Option("--trust", metavar="FILE", help="Master public key (.pub); repeatable."),
]


def utc_now() -> datetime.datetime:
    """The time, UTC."""
    return datetime.datetime.now(datetime.UTC)


def key_files(folder: Path | None, name: str) -> KeyFiles:
    """The keys of repository ``name``, in ``folder`` or the user's own."""
    from fiducial.stack.cvmfs.key_files import KeyFiles, default_key_folder

    return KeyFiles(folder or default_key_folder(), name)


def open_repository(root: Path, keys: Path | None) -> tuple[Repository, KeyFiles]:
    """A repository of ours, under the master key in the folder of keys."""
    from fiducial.stack.cvmfs.key_files import load_master_public
    from fiducial.stack.cvmfs.repository import Repository
    from fiducial.stack.cvmfs.settings import read_settings

    files = key_files(keys, read_settings(root).name)
    return Repository(root, [load_master_public(files.master_public)]), files


def master_keys(trust: list[Path] | None) -> list[MasterKey]:
    """The master keys named by --trust; without it those in the user's folder of keys."""
    from fiducial.stack.cvmfs.key_files import default_key_folder, load_master_public

    paths = trust or sorted(default_key_folder().glob("*.pub"))
    return [load_master_public(path) for path in paths]


def open_view(address: str, trust: list[Path] | None, name: str | None = None) -> RepositoryView:
    """The current revision of a repository anywhere, believed."""
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.revision import Demands, read_revision

    source: Source = open_source(address)
    revision = read_revision(source, Demands(master_keys(trust), name, utc_now()))
    return RepositoryView(source, revision)


def tell(record: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """Print the answer, for programs or for people."""
    typer.echo(json.dumps(record, indent=1) if as_json else "\n".join(lines))


def show_time(seconds: int | None) -> str:
    """Seconds since 1970 for people."""
    moment = datetime.datetime.fromtimestamp(seconds or 0, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
