"""The names that a component offers, before and after, and which of their changes dependents meet.

griffe reads both versions (statically: nothing is imported) and finds the changes of public
names. A change is broken only where somebody in the stack uses what changed: imports a name that
is gone, calls with arguments that do not fit any more, or touches a member of that name that no
class has kept. Private names count as soon as a dependent uses them. All else is information.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import griffe

from fiducial.stack.overlay.findings import Finding, Place, place
from fiducial.stack.overlay.signature import Parameter, Signature, misfit
from fiducial.stack.overlay.usage import Use

logging.getLogger("griffe").setLevel(logging.CRITICAL)  # what it cannot resolve is not our news
_Kind = griffe.BreakageKind
_BEHAVIOUR = {
    _Kind.PARAMETER_CHANGED_DEFAULT, _Kind.RETURN_CHANGED_TYPE,
    _Kind.ATTRIBUTE_CHANGED_TYPE, _Kind.ATTRIBUTE_CHANGED_VALUE,
}  # fmt: skip
_GONE = {_Kind.OBJECT_REMOVED, _Kind.OBJECT_CHANGED_KIND, _Kind.CLASS_REMOVED_BASE}
_PARAMETERS = {
    "positional-only": "positional", "positional or keyword": "both", "keyword-only": "keyword",
    "variadic positional": "*", "variadic keyword": "**",
}  # fmt: skip


class Api:
    """One version of an import package ("fiducial.edm"), as griffe reads it."""

    def __init__(self, root: str, files: Mapping[str, Path]) -> None:
        self.root = root
        inside = root.replace(".", "/")
        with tempfile.TemporaryDirectory(prefix="fiducial-api-") as scratch:
            for name, path in files.items():
                if name.startswith(f"{inside}/") or name == f"{inside}.py":
                    target = Path(scratch, name)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
            loader = griffe.GriffeLoader(search_paths=[scratch], allow_inspection=False)
            self.module: Any = loader.load(root, try_relative_path=False)
            loader.resolve_aliases(implicit=False, external=False)

    def find(self, name: str) -> Any:
        """The object called ``name``, followed to where it is defined; None where there is
        none; ``name`` itself where this cannot be told (made while the module runs)."""
        found: Any = self.module
        for part in name.removeprefix(self.root).strip(".").split("."):
            if not part:
                continue
            if not (found.is_module or found.is_class):
                return name
            members = found.all_members
            if part not in members:
                return name if "__getattr__" in members else None
            found = self._target(members[part])
            if found is None or isinstance(found, str):
                return found if found is None else name
        return found

    def _target(self, found: Any) -> Any:
        if not found.is_alias:
            return found
        try:
            return found.final_target
        except (griffe.AliasResolutionError, griffe.CyclicAliasError):
            path = str(found.target_path)
            ours = path == self.root or path.startswith(f"{self.root}.")
            return None if ours else path


def signature_of(found: Any, bound: bool = False) -> Signature | None:
    """The signature of a function, or of the constructor of a class; ``bound`` takes away the
    parameter that an instance fills."""
    if isinstance(found, str) or found is None:
        return None
    if found.is_class:
        found, bound = found.all_members.get("__init__"), True
        if found is None or (found.is_alias and not hasattr(found, "parameters")):
            return None
    if not found.is_function:
        return None
    parameters = tuple(
        Parameter(one.name, _PARAMETERS[one.kind.value], bool(one.required))
        for one in found.parameters
    )
    in_class = found.parent is not None and found.parent.is_class
    static = "staticmethod" in found.labels
    if in_class and not static and (bound or "classmethod" in found.labels):
        parameters = parameters[1:]
    return parameters


def compare_names(
    component: str, roots: Iterable[str], old: Mapping[str, Path], new: Mapping[str, Path],
    uses: list[Use],
) -> Iterator[Finding]:  # fmt: skip
    """What changed between the files ``old`` and ``new`` of a component, and who meets it."""
    for root in roots:
        before = Api(root, old)
        after = (
            Api(root, new) if any(name.startswith(root.replace(".", "/")) for name in new) else None
        )
        mine = [use for use in uses if use.member or (use.name + ".").startswith(f"{root}.")]
        if after is None:
            places = tuple(place(use) for use in mine if not use.member)
            yield Finding("names", component, root, "removed", bool(places), places)
            continue
        yield from _compare(component, before, after, mine)


def _compare(component: str, before: Api, after: Api, uses: list[Use]) -> Iterator[Finding]:
    met: dict[str, dict[Place, None]] = {}  # by the name of what changed, in order
    what: dict[str, str] = {}
    for use in uses:
        if use.member:
            continue
        name, reason, why = _meets(use, before, after)
        if reason is not None:
            what.setdefault(name, reason)
            met.setdefault(name, {})[place(use, why)] = None
    changed: dict[str, tuple[list[str], dict[Place, None]]] = {}
    for name, kind, text, new in _changes(before, after):
        texts, places = changed.setdefault(name, ([], met.pop(name, {})))
        if "removed" in texts:
            continue
        texts.append(text)
        owner = before.find(name.rpartition(".")[0])
        in_class = owner is not None and not isinstance(owner, str) and owner.is_class
        if in_class and kind not in _BEHAVIOUR:
            places |= dict.fromkeys(_by_name(name, kind, before.find(name), new, uses))
    for name, places in met.items():
        changed[name] = ([what[name]], places)
    for name, (texts, places) in changed.items():
        yield Finding("names", component, name, "; ".join(texts), bool(places), tuple(places))


def _meets(use: Use, before: Api, after: Api) -> tuple[str, str | None, str | None]:
    """The name that is gone or changed for ``use``, what happened, and why it does not fit."""
    old = before.find(use.name)
    if old is None or isinstance(old, str):
        return use.name, None, None
    new = after.find(use.name)
    if new is None:
        return _first_gone(use.name, before, after), "removed", None
    if isinstance(new, str):
        return use.name, None, None
    name = str(old.canonical_path)
    if old.kind is not new.kind:
        return name, f"was a {old.kind.value}, is a {new.kind.value}", None
    if use.call is None:
        return name, None, None
    signatures = signature_of(old), signature_of(new)
    if signatures[0] is None or signatures[1] is None:
        gone = [word for word in sorted(use.call.keywords) if _field_gone(word, old, new)]
        if gone:
            return f"{name}.{gone[0]}", "removed", f"'{gone[0]}' is given"
        return name, None, None
    why = misfit(use.call, signatures[0], signatures[1])
    constructor = f"{name}.__init__" if old.is_class else name
    return (constructor, "its signature changed", why) if why else (name, None, None)


def _field_gone(word: str, old: Any, new: Any) -> bool:
    both = old.is_class and new.is_class
    return bool(both and word in old.all_members and word not in new.all_members)


def _first_gone(name: str, before: Api, after: Api) -> str:
    """The shortest beginning of ``name`` that is gone, as it is called where it was defined."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        part = ".".join(parts[:count])
        if part.startswith(before.root) and after.find(part) is None:
            old = before.find(part)
            path = part if isinstance(old, str) else str(old.canonical_path)
            return path if after.find(path) is None else part
    return name


def _changes(before: Api, after: Api) -> Iterator[tuple[str, griffe.BreakageKind, str, Any]]:
    """Changes of public names: name, kind, text, and the new object where there is one."""
    seen = set()
    for breakage in griffe.find_breaking_changes(before.module, after.module):
        found: Any = breakage.obj
        name = str(found.path)
        if found.is_alias:  # imported or inherited: told where it is defined, if it is gone there
            old = before.find(name)
            if old is not None and not isinstance(old, str):
                path = str(old.canonical_path)
                name = path if after.find(path) is None else name
        value = breakage.old_value or breakage.new_value
        text = breakage.kind.value[0].lower() + breakage.kind.value[1:]
        if breakage.kind.name.startswith("PARAMETER"):
            text += f" ('{getattr(value, 'name', value)}')"
        elif breakage.kind in (_Kind.OBJECT_REMOVED,):
            text = "removed"
        if (name, text) not in seen:
            seen.add((name, text))
            gone = breakage.kind is _Kind.OBJECT_REMOVED
            yield name, breakage.kind, text, None if gone else found


def _by_name(
    name: str, kind: griffe.BreakageKind, old: Any, new: Any, uses: list[Use]
) -> Iterator[Place]:
    """Uses of a changed member on objects whose type is not written."""
    member = name.rpartition(".")[2]
    for use in uses:
        if not use.member or use.name != member:
            continue
        if kind in _GONE:
            yield place(use)
        elif use.call is not None:
            signatures = signature_of(old, bound=True), signature_of(new, bound=True)
            if signatures[0] is not None and signatures[1] is not None:
                why = misfit(use.call, signatures[0], signatures[1])
                if why is not None:
                    yield place(use, why)
