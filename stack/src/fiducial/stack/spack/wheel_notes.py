"""What recipes of wheels say beyond the wheels' metadata: ``spack-repo/wheels.yaml``, by hand.

A package's notes may hold ``licence`` (an SPDX expression, where the metadata has none),
``modules`` (to import, instead of those found), ``smoke`` (a few lines of Python that use the
package), ``class`` (lines of the recipe's class: variants, what must be set before it is
imported), each with the reason in a comment.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from fiducial.stack.errors import Mistake, Mistakes, did_you_mean
from fiducial.stack.workspace import Workspace
from fiducial.stack.yaml_files import read_rows

KEYS = ("licence", "modules", "smoke", "class")


@dataclass(frozen=True)
class Notes:
    """The notes of one package."""

    licence: str = ""
    modules: tuple[str, ...] | None = None
    smoke: str = ""
    body: str = ""


def read_notes(workspace: Workspace, packages: Collection[str]) -> dict[str, Notes]:
    """The notes by package; all mistakes at once. ``packages`` are those that the locks hold."""
    path = workspace.root / "spack-repo" / "wheels.yaml"
    data = read_rows(path, "packages to their notes")
    mistakes: list[Mistake] = []
    found = {}
    for package, row in data.items():
        where = f"{path.name}: {package}"
        if package not in packages:
            hint = did_you_mean(str(package), packages)
            mistakes.append(Mistake(path.name, f"no lock has '{package}'", hint))
        for key in row:
            if key not in KEYS:
                mistakes.append(
                    Mistake(where, f"unknown key '{key}'", did_you_mean(str(key), KEYS))
                )
        mistakes += _mistakes(where, row)
        modules = row.get("modules")
        found[package] = Notes(
            licence=str(row.get("licence", "")),
            modules=tuple(modules) if isinstance(modules, list) else None,
            smoke=str(row.get("smoke", "")).strip(),
            body=str(row.get("class", "")).rstrip(),
        )
    if mistakes:
        raise Mistakes(mistakes, "the notes on wheels")
    return found


def _mistakes(where: str, row: dict[object, object]) -> list[Mistake]:
    mistakes = []
    for key in ("licence", "smoke", "class"):
        if not isinstance(row.get(key, ""), str):
            mistakes.append(Mistake(f"{where}: {key}", "must be text"))
    modules = row.get("modules", [])
    if not isinstance(modules, list) or not all(isinstance(name, str) for name in modules):
        mistakes.append(Mistake(f"{where}: modules", "must be a list of names"))
    try:
        canonicalize_license_expression(str(row.get("licence") or "MIT"))
    except InvalidLicenseExpression as error:
        mistakes.append(Mistake(f"{where}: licence", str(error)))
    if '"""' in str(row.get("smoke", "")) or "\\" in str(row.get("smoke", "")):
        mistakes.append(Mistake(f"{where}: smoke", 'holds \'"""\' or a backslash'))
    return mistakes
