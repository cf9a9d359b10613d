"""The commits of Spack and of its builtin recipes that locks are made with: environments/pins.yaml.

spack:
  spack: {commit: 9cf6…, reason: …}
  builtin: {commit: 1e8c…, reason: …}
"""

from __future__ import annotations

import re

import yaml

from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.stack.workspace import Workspace

PARTS = ("spack", "builtin")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_spack_pins(workspace: Workspace) -> dict[str, str]:
    """The pinned commit of each part; all mistakes of the section at once."""
    path = workspace.environments / "pins.yaml"
    where = str(path.relative_to(workspace.root))
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{where} cannot be read", " ".join(str(error).split())) from error
    rows = data.get("spack") if isinstance(data, dict) else None
    if not isinstance(rows, dict):
        raise InputError(f"{where} pins no Spack", "it has no section 'spack'")
    mistakes: list[Mistake] = []
    found: dict[str, str] = {}
    for part in [*PARTS, *(rows.keys() - set(PARTS))]:
        label = f"{where}: spack.{part}"
        row = rows.get(part)
        if part not in PARTS:
            mistakes.append(Mistake(label, "is no part of Spack", did_you_mean(str(part), PARTS)))
        elif not isinstance(row, dict):
            mistakes.append(Mistake(label, "is missing"))
        else:
            commit = str(row.get("commit", ""))
            if not _COMMIT.fullmatch(commit):
                mistakes.append(Mistake(label, f"commit {commit!r} is not 40 hexadecimal digits"))
            if not str(row.get("reason", "")).strip():
                mistakes.append(Mistake(label, "has no reason"))
            found[part] = commit
    if mistakes:
        raise Mistakes(mistakes, where)
    return found
