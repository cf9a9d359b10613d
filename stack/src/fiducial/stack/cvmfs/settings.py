"""What a repository was created with: kept beside it, in ``.fiducial/repository.json``.

The folder ``.fiducial`` belongs to the publisher (mode 0700): settings, the lock, the index
of contents. No client reads it, and nothing in it is secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from fiducial.stack.cvmfs.compression import Encoder
from fiducial.stack.cvmfs.digest import Algorithm, parse_algorithm
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.files import write_atomically

FORMAT = 1
FOLDER = ".fiducial"
_FILE = "repository.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True)
class Settings:
    """Name, how objects are named and compressed, time to live [s], garbage collection."""

    name: str
    encoder: Encoder = field(default_factory=Encoder)
    algorithm: Algorithm = Algorithm.SHA1
    ttl: int = 240
    collectable: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or "." not in self.name:
            raise InputError(
                f"'{self.name}' cannot name a repository",
                "clients mount it as /cvmfs/<name>",
                "use a name as software.example.org (lower-case letters, digits, . - _)",
            )
        if not 1 <= self.ttl <= 604_800:
            raise InputError(f"a time to live of {self.ttl} s", None, "choose 1 to 604800")

    def to_json(self) -> str:
        record = {
            "format": FORMAT, "name": self.name, "encoder": self.encoder.name,
            "level": self.encoder.level, "algorithm": self.algorithm.value, "ttl": self.ttl,
            "collectable": self.collectable,
        }  # fmt: skip
        return json.dumps(record, indent=1) + "\n"


def write_settings(root: Path, settings: Settings) -> None:
    """Keep the settings; makes the folder."""
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise from_os_error(error, "make", folder) from error
    write_atomically(folder / _FILE, settings.to_json())


def read_settings(root: Path) -> Settings:
    """The settings of the repository at ``root``. Raises InputError where there is none."""
    path = root / FOLDER / _FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"no repository of ours at {root}",
            f"there is no {FOLDER}/{_FILE}",
            "make one: fiducial repo create; to read one: fiducial repo ls",
        ) from None
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    try:
        record = json.loads(text)
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']}, this program knows {FORMAT}")
        return Settings(
            record["name"], Encoder(record["encoder"], record["level"]),
            parse_algorithm(record["algorithm"]), record["ttl"], record["collectable"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be used", str(error)) from error
