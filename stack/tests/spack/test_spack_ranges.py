"""PEP 440 ranges become Spack ranges that hold the same versions."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from fiducial.stack.errors import InputError
from fiducial.stack.spack.names import class_name, folder_name, spack_name
from fiducial.stack.spack.ranges import spack_range

release = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)


def holds(range_: str, version: str) -> bool:
    """Whether Spack's ``@range_`` holds a version: ends are inclusive prefixes."""
    parts = list(Version(version).release)
    if range_ == "":
        return True
    if range_.startswith("="):
        return Version(range_[1:]) == Version(version)
    low, colon, high = range_.partition(":")
    if not colon:
        wanted = [int(part) for part in low.split(".")]
        return parts[: len(wanted)] == wanted
    ends = [int(part) for part in high.split(".")] if high else None
    above = not low or parts >= [int(part) for part in low.split(".")]
    return above and (ends is None or parts[: len(ends)] <= ends)


@pytest.mark.parametrize(
    ("python", "spack"),
    [
        ("", ""),
        (">=2.0", "2.0:"),
        (">=0.1,<0.2", "0.1:0.1"),
        ("==8.317.2", "=8.317.2"),
        ("==1.4.*", "1.4"),
        ("<2", ":1"),
        (">=3.11,<3.15.0", "3.11:3.14"),
        ("~=1.4.2", "1.4.2:1.4"),
    ],
)
def test_known_ranges(python: str, spack: str) -> None:
    assert spack_range(python) == spack


@given(low=release, high=release, version=release)
def test_a_half_open_range_holds_the_same_versions_in_spack(
    low: str, high: str, version: str
) -> None:
    assume(Version(low) < Version(high))
    low, version = padded(low), padded(version)  # to Spack, 1 and 1.0 are two versions
    specifiers = SpecifierSet(f">={low},<{high}")
    assert holds(spack_range(specifiers), version) == specifiers.contains(version)


def padded(version: str) -> str:
    return ".".join([*version.split("."), "0", "0"][:3])


@pytest.mark.parametrize("python", ["!=1.2", ">1.2", "==1.2,<2", ">=2,<1", "<0"])
def test_what_spack_cannot_say_is_refused(python: str) -> None:
    with pytest.raises(InputError):
        spack_range(python)


def test_names_follow_spacks_conventions() -> None:
    assert spack_name("Fiducial_EDM") == "py-fiducial-edm"
    assert folder_name("py-fiducial-edm") == "py_fiducial_edm"
    assert folder_name("7zip") == "_7zip"
    assert class_name("py-fiducial-edm") == "PyFiducialEdm"
