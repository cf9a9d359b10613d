"""The licence of a distribution as an SPDX expression, from what its metadata says.

In this order: the expression (PEP 639); the licence field or the classifiers, where they are an
SPDX expression already or one of the common names below; for a bare "BSD", which names a family,
the text of the licence file in the wheel: its third clause ("Neither the name …") tells.
"""

from __future__ import annotations

import importlib.metadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from fiducial.stack.errors import InputError

SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause": "BSD-2-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "GNU GPL v2 or later": "GPL-2.0-or-later",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Names that licence fields and classifiers use, and what SPDX calls them."""
FAMILIES = ("BSD", "BSD License")


class UnclearLicence(InputError):  # noqa: N818 (a negative finding, as others of errors.py)
    """The metadata does not tell the licence."""


def licence(distribution: importlib.metadata.Distribution) -> str:
    """The SPDX expression; UnclearLicence where the metadata does not tell."""
    fields = distribution.metadata
    for expression in fields.get_all("License-Expression") or []:
        return str(canonicalize_license_expression(expression))
    classifiers = fields.get_all("Classifier") or []
    named = [row.split(" :: ")[-1] for row in classifiers if row.startswith("License :: ")]
    for name in (*(fields.get_all("License") or []), " OR ".join(sorted(set(named)))):
        if name.strip() in FAMILIES:
            return _bsd(distribution)
        try:
            return str(canonicalize_license_expression(SPDX.get(name.strip(), name)))
        except InvalidLicenseExpression:
            continue
    raise _unclear(distribution, f"its metadata says {named or 'nothing'}")


def _bsd(distribution: importlib.metadata.Distribution) -> str:
    for file in sorted(distribution.files or (), key=str):
        if ".dist-info" in file.parts[0] and file.stem.upper() in ("LICENSE", "COPYING"):
            text = " ".join(str(file.read_text()).split())
            if "Redistributions in binary form" in text:
                return "BSD-3-Clause" if "Neither the name" in text else "BSD-2-Clause"
    raise _unclear(distribution, "it says BSD, and no licence file tells which")


def _unclear(distribution: importlib.metadata.Distribution, why: str) -> UnclearLicence:
    return UnclearLicence(
        f"the licence of {distribution.name} has no SPDX expression",
        why,
        "add its name to fiducial.stack.spack.licences.SPDX",
    )
