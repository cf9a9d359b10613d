"""The digest of a recipe: of all in it that can change what is installed under a hash.

Spack's hash of a package does not change with a directive that its solver did not need, and an
installation from a lock takes the recipe as it stands: so a lock says of each recipe which one it
was made with. For our own recipes, which are generated and hold several versions, the digest is
that of one version: comments, docstrings, layout and the order of directives do not count, nor do
directives that are for other versions (``when="@=0.2.0"``, ``@0.2:0.3``). It is
read from the syntax tree, and needs no Spack. A recipe of another repository counts with every byte
of its folder (patches, too).
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from pathlib import Path

from fiducial.stack.errors import InputError
from fiducial.stack.spack.version_order import version_key

_POSITION = {"lineno", "col_offset", "end_lineno", "end_col_offset", "ctx", "kind", "type_comment"}
_VERSIONS = re.compile(r"^@([=0-9A-Za-z.:_-]+)(?=$|[+~ ^%])")
_BUILD_SYSTEM = re.compile(r"\w+\.build_systems\.(\w+)$")


def recipe_digest(path: Path, version: str) -> str:
    """SHA-256 of what our recipe at ``path`` says about ``version``."""
    tree = _parse(path)
    shapes: list[object] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [_shape(base) for base in node.bases]
            shapes.append([node.name, bases, _class(node.body, version)])
        elif not _is_text(node):
            shapes.append(_shape(node))
    return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 of every file of a recipe's folder, by name."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix().encode()
            digest = hashlib.sha256(path.read_bytes()).digest()
            total.update(len(name).to_bytes(4, "big") + name + digest)
    return total.hexdigest()


def build_systems(paths: list[Path], repository: Path) -> dict[str, str]:
    """SHA-256 of each build system of ``repository`` that the recipes import, near or far."""
    found: dict[str, str] = {}
    waiting = {name for path in paths for name in _imported(path)}
    while waiting:
        name = waiting.pop()
        path = repository / "build_systems" / f"{name}.py"
        if name not in found and path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            waiting |= _imported(path)
    return dict(sorted(found.items()))


def recipe_versions(path: Path) -> dict[str, str | None]:
    """The versions of our recipe at ``path`` with their SHA-256 (None: there is no archive)."""
    found: dict[str, str | None] = {}
    for node in ast.walk(_parse(path)):
        if _is_call(node, "version"):
            assert isinstance(node, ast.Call)
            options = {row.arg: row.value for row in node.keywords}
            name, checksum = node.args[0], options.get("sha256")
            if isinstance(name, ast.Constant):
                value = checksum.value if isinstance(checksum, ast.Constant) else None
                found[str(name.value)] = str(value) if value else None
    return found


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise InputError(f"the recipe {path} is not readable", str(error)) from error


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(_parse(path)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if names[0].endswith("build_systems") or node.level:
                names = [f"x.build_systems.{alias.name}" for alias in node.names]
                names += [f"x.build_systems.{node.module}"] if node.level and node.module else []
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if match := _BUILD_SYSTEM.search(name):
                found.add(match[1])
    return found


def _class(body: list[ast.stmt], version: str) -> list[object]:
    """Directives, in any order, and what remains (attributes and methods), in its own."""
    directives: list[object] = []
    rest: list[object] = []
    for node in body:
        if isinstance(node, (ast.Expr, ast.With)):
            directives += _directives(node, version, [])
        elif not _is_text(node) and not _is_for_another(node, version):
            rest.append(_shape(node))
    return [sorted(directives, key=lambda row: json.dumps(row)), rest]


def _is_for_another(node: ast.stmt, version: str) -> bool:
    """Whether a method is decorated with ``@when`` for another version."""
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(row, ast.Call)
        and _is_call(row, "when")
        and _condition(row.args[0], version) is None
        for row in node.decorator_list
    )


def _directives(node: ast.stmt, version: str, around: list[object]) -> list[object]:
    """The directives of a statement that are for ``version``, with the blocks they stand in."""
    if isinstance(node, ast.With):
        inside = list(around)
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _is_call(call, "when") and call.args:
                condition = _condition(call.args[0], version)
                if condition is None:
                    return []
                if condition:
                    inside.append(["when", condition])
            else:
                inside.append(_shape(call))
        return [row for child in node.body for row in _directives(child, version, inside)]
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return [] if _is_text(node) else [[around, _shape(node)]]
    call = node.value
    if _is_call(call, "version"):
        given = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if given is not None and given != version:
            return []
        # which version is preferred decides what a new lock takes, not what this one installs
        keywords = [row for row in call.keywords if row.arg != "preferred"]
        return [[around, "version", given, [[row.arg, _shape(row.value)] for row in keywords]]]
    condition = ""
    options: list[object] = []
    for row in call.keywords:
        if row.arg == "when":
            found = _condition(row.value, version)
            if found is None:
                return []
            condition = found
        else:
            options.append([row.arg, _shape(row.value)])
    arguments = [_shape(argument) for argument in call.args]
    return [[around, _shape(call.func), arguments, sorted(options, key=str), condition]]


def _condition(node: ast.expr, version: str) -> str | None:
    """A ``when`` without its exact version; None where it is for another version than this."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return json.dumps(_shape(node))
    match = _VERSIONS.match(node.value)
    held = _holds(match[1], version) if match else None
    if match is None or held is None:
        return node.value
    return node.value[match.end() :].strip() if held else None


def _holds(versions: str, version: str) -> bool | None:
    """Whether Spack's ``@versions`` holds ``version``; None where that is not plain to see.

    The ends of a range hold all that begins with them.
    """
    if versions.startswith("="):
        return versions[1:] == version
    low, colon, high = versions.partition(":")
    low_key, high_key, key = (version_key(text) for text in (low, high or low, version))
    if not (low_key and high_key and key) or not re.fullmatch(r"[0-9.:]+", versions):
        return None
    if not colon:
        high = low
    above = not low or key[0] >= low_key[0]
    return above and (not high or key[0][: len(high_key[0])] <= high_key[0])


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _shape(node: object) -> object:
    """A syntax tree as plain lists, the same for every version of Python."""
    if isinstance(node, ast.AST):
        fields = [
            [name, _shape(value)]
            for name, value in ast.iter_fields(node)
            if name not in _POSITION and value not in (None, [])
        ]
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_shape(row) for row in node if not (isinstance(row, ast.stmt) and _is_text(row))]
    if isinstance(node, (bytes, complex)) or node is Ellipsis:
        return repr(node)
    return node
