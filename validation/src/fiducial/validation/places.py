"""Where the chains, their observables and the references are.

In an installed wheel they lie inside the package; in a checkout beside ``src``.
"""

from __future__ import annotations

from pathlib import Path

from fiducial.core.errors import EnvironmentProblem

_PACKAGE = Path(__file__).resolve().parent


def _data(name: str) -> Path:
    for place in (_PACKAGE / name, _PACKAGE.parents[2] / name):
        if place.is_dir():
            return place
    raise EnvironmentProblem(
        f"fiducial-validation has no {name}",
        f"neither {_PACKAGE / name} nor {_PACKAGE.parents[2] / name} exists",
        "reinstall fiducial-validation",
    )


def chains_directory() -> Path:
    """The directory of the reference chains (entry point of ``fiducial.chains``)."""
    return _data("chains")


def observables_path(chain: str) -> Path:
    """The observables declared for a chain."""
    return chains_directory() / "observables" / f"{chain}.yaml"


def references_directory() -> Path:
    """The directory of the references."""
    return _data("references")


def chain_names() -> list[str]:
    """All reference chains."""
    return sorted(path.stem for path in chains_directory().glob("*.yaml"))
