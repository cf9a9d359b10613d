"""Which file a recipe of ours takes for a version: read from its text, without Spack.

Our recipes say it in two places: ``pypi = "project/file"`` and ``version("1.2", sha256=…)``, with
``expand=False`` where Spack leaves the file as it is. Neglects everything else that Spack knows
(``url_for_version``, resources, patches): recipes that use those are read by Spack itself.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from packaging.version import InvalidVersion, Version

from fiducial.stack.errors import InputError
from fiducial.stack.spack.mirror_layout import Origin, Source, mirror_source

_BUNDLE = "BundlePackage"
_ARCHIVES = ("tar.gz", "tar.bz2", "tar.xz", "zip", "whl")


@dataclass(frozen=True)
class RecipeVersion:
    """One ``version`` of a recipe: its checksum (None: there is no archive), and how it is kept."""

    version: str
    sha256: str | None
    expand: bool


@dataclass(frozen=True)
class RecipeFiles:
    """The file name of a recipe (one version's), and its versions. A bundle has no files."""

    path: Path
    filename: str
    versions: tuple[RecipeVersion, ...]
    bundle: bool = False

    def source(self, package: str, version: str, origin: Origin) -> Source | None:
        """The file of ``version``; None where it has no archive (a version in the making)."""
        for row in self.versions:
            if row.version == version:
                break
        else:
            have = ", ".join(row.version for row in self.versions)
            raise InputError(
                f"the recipe of {package} has no version {version}",
                f"{self.path.parent.name}/{self.path.name} has {have or 'none'}",
                "concretize the environment again",
            )
        if row.sha256 is None:
            return None
        filename = self._filename(version)
        extension = kind(filename) if row.expand else ""
        return mirror_source(package, version, filename, row.sha256, extension, origin)

    def _filename(self, version: str) -> str:
        """The file name of another version than the one that ``pypi`` shows."""
        if self.filename.endswith(".whl"):
            return self.filename
        stem = self.filename.removesuffix(f".{kind(self.filename)}")
        head, _, shown = stem.rpartition("-")
        try:
            Version(shown)
        except InvalidVersion:
            return self.filename
        return f"{head}-{version}.{kind(self.filename)}"


def kind(filename: str) -> str:
    """What an archive's name ends with, as Spack appends it to a digest."""
    for suffix in _ARCHIVES:
        if filename.endswith(f".{suffix}"):
            return suffix
    raise InputError(f"'{filename}' is no kind of archive", None, f"known: {', '.join(_ARCHIVES)}")


def read_recipe(path: Path) -> RecipeFiles:
    """The files of the recipe at ``path``; InputError where it is not readable or names none."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "concretize the environment again, or: fiducial recipes sync"
        raise InputError(f"there is no recipe {path}", None, hint) from error
    except (SyntaxError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"the recipe {path} is not readable", str(error)) from error
    pypi = ""
    versions: list[RecipeVersion] = []
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bundle = any(base.id == _BUNDLE for row in classes for base in row.bases if _is_name(base))
    for node in (statement for row in classes for statement in row.body):
        if isinstance(node, ast.Assign) and _names(node) == ["pypi"]:
            pypi = str(_value(node.value))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if isinstance(call.func, ast.Name) and call.func.id == "version" and call.args:
                options = {row.arg: _value(row.value) for row in call.keywords}
                digest = options.get("sha256")
                versions.append(
                    RecipeVersion(
                        str(_value(call.args[0])),
                        str(digest) if digest else None,
                        options.get("expand") is not False,
                    )
                )
    filename = pypi.partition("/")[2]
    if not filename and not bundle:
        raise InputError(f"the recipe {path} names no file", "it has no 'pypi'")
    return RecipeFiles(path, filename, tuple(versions), bundle)


def _is_name(node: ast.expr) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
