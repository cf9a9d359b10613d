"""Version ranges: from Python's (PEP 440) to Spack's.

Spack's ranges are inclusive, and an end stands for everything that begins with it: ``@:0.1``
holds 0.1.9. So ``<0.2`` becomes ``:0.1``, and ``<2`` becomes ``:1``. Neither ``!=`` nor an open
lower end (``>1``) has a faithful form; they are refused rather than widened.

PEP 440; Spack documentation, "Version specifier".
"""

from __future__ import annotations

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from fiducial.stack.errors import InputError


def spack_range(specifiers: SpecifierSet | str) -> str:
    """What stands behind the ``@`` in Spack for a PEP 440 range; "" where anything will do.

    Raises InputError for a range that Spack cannot say exactly, or one that is empty.
    """
    whole = SpecifierSet(specifiers) if isinstance(specifiers, str) else specifiers
    if exact := [s for s in whole if s.operator in ("==", "===")]:
        if len(whole) > 1:
            raise InputError(
                f"the range '{whole}' has no form in Spack", "a fixed version beside other bounds"
            )
        version = exact[0].version
        return version.removesuffix(".*") if version.endswith(".*") else f"={version}"
    lows: list[str] = []
    highs: list[str] = []
    for specifier in whole:
        low, high = _bounds(specifier)
        lows += low
        highs += high
    low_text = max(lows, key=Version, default="")
    high_text = min(highs, key=Version, default="")
    if not low_text and not high_text:
        return ""
    if low_text and high_text and Version(low_text) > Version(high_text):
        head = Version(low_text).release[: len(Version(high_text).release)]
        if head != Version(high_text).release:
            raise InputError(f"the range '{whole}' is empty")
    return f"{low_text}:{high_text}"


def _bounds(specifier: Specifier) -> tuple[list[str], list[str]]:
    version = specifier.version
    match specifier.operator:
        case ">=":
            return [version], []
        case "<=":
            return [], [version]
        case "<":
            return [], [before(version)]
        case "~=":
            return [version], [".".join(version.split(".")[:-1])]
        case operator:
            raise InputError(
                f"'{operator}{version}' has no form in Spack", None, "write the range with >= and <"
            )


def before(version: str) -> str:
    """The inclusive end that leaves out ``version`` and everything after it.

    "0.2" gives "0.1", "2" gives "1", "3.12.0" gives "3.11".
    """
    release = list(Version(version).release)
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    if release[-1] == 0:
        raise InputError(f"'<{version}' leaves no version")
    release[-1] -= 1
    return ".".join(map(str, release))
