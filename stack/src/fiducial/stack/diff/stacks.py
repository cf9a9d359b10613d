"""What differs between two stacks, and why each digest moved.

Works on the manifests alone. A package's files can move because the lock allows another wheel,
because the component's source changed, because another interpreter compiled them or another
builder laid them out; a difference that none of these explains is called unexplained: one of
the stacks was altered, or the build is not reproducible.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiducial.stack.diff.changes import Comparison, FileChange, PackageChange
from fiducial.stack.manifest import Entry, Manifest, Package


def diff(before: Manifest, after: Manifest) -> Comparison:
    """Compare two stacks by their manifests."""
    inputs = _inputs(before, after)
    old = {package.name: package for package in before.packages}
    new = {package.name: package for package in after.packages}
    packages = [
        change
        for name in sorted(old.keys() | new.keys())
        if (change := _package(old.get(name), new.get(name), inputs)) is not None
    ]
    return Comparison(
        kind="stacks",
        before=before.stack,
        after=after.stack,
        inputs=inputs,
        packages=tuple(packages),
        files=_files(before.files, after.files),
    )


def _inputs(before: Manifest, after: Manifest) -> dict[str, tuple[str, str]]:
    def builder(manifest: Manifest) -> str:
        tools = ", ".join(f"{name} {v}" for name, v in manifest.builder.tools.items())
        return f"{manifest.builder.name} {manifest.builder.version} ({tools})"

    def interpreter(manifest: Manifest) -> str:
        row = manifest.interpreter
        return f"{row.mode} {row.implementation} {row.version} ({row.cache_tag})"

    def platform(manifest: Manifest) -> str:
        row = manifest.platform
        return f"{row.system} {row.microarchitecture} {row.libc or ''}".strip()

    pairs = {
        "environment": (before.environment, after.environment),
        "lock": (before.lock_sha256, after.lock_sha256),
        "builder": (builder(before), builder(after)),
        "interpreter": (interpreter(before), interpreter(after)),
        "platform": (platform(before), platform(after)),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _package(
    old: Package | None, new: Package | None, inputs: Mapping[str, tuple[str, str]]
) -> PackageChange | None:
    if old is None or new is None:
        package = old or new
        assert package is not None
        cause = {"wheel": "lock", "component": "environment", "interpreter": "interpreter"}
        return PackageChange(
            name=package.name,
            kind="removed" if new is None else "added",
            before=old.version if old else None,
            after=new.version if new else None,
            causes=(cause[package.kind],),
            why={
                "wheel": "the lock moved",
                "component": "the environment moved",
                "interpreter": "the interpreter is bundled in one of the two",
            }[package.kind],
            files=_files(old.files if old else {}, new.files if new else {}),
        )
    if old == new:
        return None
    causes, why = _why(old, new, inputs)
    return PackageChange(
        name=old.name,
        kind="changed",
        before=old.version,
        after=new.version,
        causes=tuple(causes),
        why="; ".join(why),
        files=_files(old.files, new.files),
    )


def _why(
    old: Package, new: Package, inputs: Mapping[str, tuple[str, str]]
) -> tuple[list[str], list[str]]:
    if old.kind != new.kind:
        return ["environment"], [f"it was a {old.kind} and is a {new.kind}"]
    if old.source_sha256 != new.source_sha256:
        if old.kind == "wheel":
            same = old.version == new.version
            return ["lock"], [f"the lock allows {new.source}" if same else "the lock moved"]
        if old.kind == "interpreter":
            return ["interpreter"], ["another interpreter was bundled"]
        return ["component"], [f"the source in {new.source} changed"]
    explained = [name for name in ("interpreter", "builder", "platform") if name in inputs]
    if old.files == new.files:
        if "environment" in inputs or "lock" in inputs:
            return ["lock"], ["other packages that it needs came or went"]
        return ["unexplained"], ["what it says of itself differs, its files do not"]
    if explained:
        return explained, [f"the {name} moved" for name in explained]
    return ["unexplained"], ["no input moved: one of the two was altered, or is not reproducible"]


def _files(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> tuple[FileChange, ...]:
    changes = []
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            changes.append(FileChange(path, "removed"))
        elif path not in old:
            changes.append(FileChange(path, "added"))
        elif old[path] != new[path]:
            changes.append(FileChange(path, "changed"))
    return tuple(changes)
