"""Concretize an environment for the reference host, in a scratch copy of what defines it.

The copy lies anywhere: no path of it is in a hash, because only released packages are locked. The
files of the reference host are named, not used, by packages that are not compiled; where a compiler
takes part it must be there and run, for Spack asks it for its C library. The answer is Spack's own
file, with the roots in order of name; Spack writes it back byte by byte when it uses it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import sha256_bytes
from fiducial.stack.spack.lock_graph import SpackLock, parse_spack_lock
from fiducial.stack.spack.program import Spack
from fiducial.stack.spack.spack_environment import SpackEnvironment, reference_host
from fiducial.stack.workspace import Workspace

_IGNORED = shutil.ignore_patterns("__pycache__", ".spack-env", "host", "*.lock")


def concretize(workspace: Workspace, environment: SpackEnvironment, spack: Spack) -> bytes:
    """The ``spack.lock`` of ``environment`` on the reference host."""
    if environment.developed:
        raise InputError(
            f"{environment.name} has no lock",
            "it installs from the checkout, whose path is in the hashes",
            "lock an environment of released components",
        )
    with tempfile.TemporaryDirectory(prefix="fiducial-lock-") as scratch:
        copy = Path(scratch).resolve()
        try:
            for place in ("environments", "spack-repo/spack_repo"):
                shutil.copytree(workspace.root / place, copy / place, ignore=_IGNORED)
        except OSError as error:
            raise from_os_error(error, "copy the environment to", copy) from error
        folder = copy / "environments" / environment.name
        lock = folder / "spack.lock"
        scope = copy / reference_host(workspace).relative_to(workspace.root)
        action = f"concretize {environment.name}"
        spack.run("concretize", environment=folder, scopes=[scope], action=action)
        lock.write_text(json.dumps(_in_order(json.loads(lock.read_bytes()))))
        spack.run("concretize", environment=folder, scopes=[scope], action=action)  # rewrites it
        data = lock.read_bytes()
    _check_host(workspace, parse_spack_lock(data, f"the new lock of {environment.name}"))
    return data


def lock_digest(data: bytes) -> str:
    """SHA-256 of a lock's content: its roots and packages, in whatever order they are written."""
    document = _in_order(json.loads(data))
    content = [document["_meta"], document["roots"], sorted(document["concrete_specs"].items())]
    return sha256_bytes(json.dumps(content).encode())


def _in_order(document: dict[str, Any]) -> dict[str, Any]:
    roots = sorted(document["roots"], key=lambda root: (root["spec"], root["hash"]))
    return {**document, "roots": roots}


def _check_host(workspace: Workspace, lock: SpackLock) -> None:
    """Refuse a lock that holds something of another host than the reference host."""
    path = reference_host(workspace) / "packages.yaml"
    packages = yaml.safe_load(path.read_text(encoding="utf-8"))["packages"]
    known = {name: row["externals"] for name, row in packages.items() if "externals" in row}
    system = reference_system(workspace)
    found = []
    for node in lock.nodes.values():
        arch = node.content["arch"]
        here = f"{arch['platform']} {arch['platform_os']}"
        if here != system:
            found.append(f"{node.label} is for {here}, not for {system}")
        external = node.content.get("external")
        if external is not None and node.name not in known and node.name != "glibc":
            found.append(f"{node.label} at {external.get('path')} is this host's own")
    if found:
        raise EnvironmentProblem(
            "this is not the lock of the reference host",
            "; ".join(sorted(set(found))[:5]),
            "make it on the host that environments/common/reference-host describes, with a Spack "
            "that is configured with nothing else",
        )


def reference_system(workspace: Workspace) -> str:
    """Platform and operating system of the reference host: the first line of its description."""
    path = reference_host(workspace) / "host.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return f"{data['platform']} {data['os']}"
