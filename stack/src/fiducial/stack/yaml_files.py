"""YAML files of the workspace that must be readable: one error for those that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import InputError


def read_yaml(path: Path) -> Any:
    """What ``path`` holds. Raises InputError for no YAML, OSError where it cannot be read."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable YAML", " ".join(str(error).split())) from error


def read_rows(path: Path, what: str) -> dict[Any, dict[Any, Any]]:
    """A mapping of names to mappings, which is ``what``; empty where there is no file."""
    if not path.is_file():
        return {}
    data = read_yaml(path) or {}
    if not isinstance(data, dict) or not all(isinstance(row, dict) for row in data.values()):
        raise InputError(f"{path} is not a mapping of {what}")
    return data
