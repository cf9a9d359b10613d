"""Options that several delivery commands share, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fiducial.stack.keys import PrivateKey, PublicKey
    from fiducial.stack.repository_directory import DirectoryRepository

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Private signing key (default: your own)."),
]
Trust = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust",
        metavar="PATH",
        help="Public key, or a folder of *.pub.pem, to trust instead of your own; repeatable.",
    ),
]
RepositoryPath = Annotated[
    Path, typer.Option("--repository", metavar="DIR", help="The repository's folder.")
]


def signing_key(path: Path | None) -> PrivateKey:
    """The key at ``path``, else the user's own."""
    from fiducial.stack.keys import default_key_path, load_private_key

    return load_private_key(path or default_key_path())


def trusted_keys(paths: list[Path] | None, key: Path | None = None) -> dict[str, PublicKey]:
    """The keys named by --trust; without it the user's trusted folder and own public key."""
    from fiducial.stack.keys import (
        default_key_path,
        default_trust_path,
        load_trusted_keys,
        public_path,
    )

    if paths:
        return load_trusted_keys(paths)
    own = public_path(key or default_key_path())
    return load_trusted_keys([path for path in (default_trust_path(), own) if path.exists()])


def open_repository(path: Path, create: bool = False) -> DirectoryRepository:
    """The repository in a folder."""
    from fiducial.stack.repository_directory import DirectoryRepository

    return DirectoryRepository(path, create)


def size(count: int) -> str:
    """A number of bytes for people."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")
