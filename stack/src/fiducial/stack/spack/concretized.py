"""Compare what Spack concretized with what the lock and the workspace say.

A stack has the wheels of its lock and the components of its workspace, whichever builder made it:
that is what its ``lock_sha256`` stands for. So every package that is used at run time must be one
of them, at the same version, from our recipes; only the interpreter is the host's.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiducial.stack.build_plan import BuildPlan
from fiducial.stack.errors import Mistake, Mistakes
from fiducial.stack.spack.lock_graph import Node, SpackLock
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.spack_plan import COMPONENTS, WHEELS

INTERPRETER = {"python", "python-venv"}
"""What Spack's Python packages run on: bound to a stack where it is deployed, not laid out."""


def locked_nodes(lock: SpackLock, plan: BuildPlan) -> dict[str, Node]:
    """The package of each distribution of ``plan``, by the distribution's name.

    Raises Mistakes, all at once, where Spack would install something else.
    """
    wanted = {wheel.package.name: (wheel.package.version, WHEELS) for wheel in plan.wheels}
    for source in plan.sources:
        wanted[source.component.name] = (source.component.version, COMPONENTS)
    used = {lock.nodes[dag].name: lock.nodes[dag] for dag in lock.used()}
    found: dict[str, Node] = {}
    mistakes: list[Mistake] = []
    for name, (version, namespace) in sorted(wanted.items()):
        node = used.pop(spack_name(name), None)
        if node is None:
            mistakes.append(Mistake(name, f"is in the lock ({version}), and Spack leaves it out"))
        elif (node.version, node.content.get("namespace")) != (version, namespace):
            where = f"{node.content.get('namespace')}.{node.label}"
            mistakes.append(Mistake(name, f"{version} is in the lock, Spack takes {where}"))
        else:
            found[name] = node
    for name, node in sorted(used.items()):
        if name not in INTERPRETER and not _is_bundle(node):
            mistakes.append(_other(node))
    if mistakes:
        raise Mistakes(mistakes, f"environment {plan.environment.name} for a stack made by Spack")
    return found


def _is_bundle(node: Node) -> bool:
    """Whether the package has no files, and only stands for those that it depends on."""
    parameters = node.content.get("parameters")
    return isinstance(parameters, Mapping) and parameters.get("build_system") == "bundle"


def _other(node: Node) -> Mistake:
    namespace = node.content.get("namespace")
    if namespace == WHEELS:
        return Mistake(
            node.label, "is not in the wheel lock", "list it in wheels.in too, or in neither"
        )
    return Mistake(
        node.label,
        f"is no Python wheel ({namespace}): it holds paths of Spack's store and cannot be moved",
        "install it with Spack itself, and carry it elsewhere with: fiducial buildcache",
    )
