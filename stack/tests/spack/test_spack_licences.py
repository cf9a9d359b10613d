"""Licences of distributions become SPDX expressions, or an error that says why not."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression

from fiducial.stack.errors import InputError
from fiducial.stack.spack.licences import SPDX, licence

CLAUSES = "Redistribution and use ... Redistributions in binary form must reproduce the above ..."


def distribution(tmp_path: Path, fields: str, text: str = "") -> importlib.metadata.Distribution:
    """A distribution whose metadata holds ``fields`` and whose licence file is ``text``."""
    folder = tmp_path / "some-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: some\nVersion: 1.0\n{fields}\n")
    (folder / "LICENSE.txt").write_text(text)
    (folder / "RECORD").write_text("some-1.0.dist-info/LICENSE.txt,,\n")
    return importlib.metadata.PathDistribution(folder)


@pytest.mark.parametrize("expression", SPDX.values())
def test_what_the_table_gives_is_spdx(expression: str) -> None:
    assert canonicalize_license_expression(expression) == expression


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("License-Expression: mit OR apache-2.0\nLicense: something", "MIT OR Apache-2.0"),
        ("License: BSD 3-Clause", "BSD-3-Clause"),
        ("License: Apache 2.0\nClassifier: License :: OSI Approved :: BSD License", "Apache-2.0"),
        ("License: see below\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved :: ISC License (ISCL)", "ISC"),
        ("License: GNU GPL v2 or later", "GPL-2.0-or-later"),
    ],
)
def test_expression_then_field_then_classifier_tell(
    tmp_path: Path, fields: str, expected: str
) -> None:
    assert licence(distribution(tmp_path, fields)) == expected


@pytest.mark.parametrize(
    "fields", ["License: BSD", "Classifier: License :: OSI Approved :: BSD License"]
)
def test_the_text_tells_which_bsd(tmp_path: Path, fields: str) -> None:
    three = CLAUSES + "\n Neither the\nname of the copyright holder nor ..."
    (tmp_path / "two").mkdir()
    assert licence(distribution(tmp_path / "two", fields, CLAUSES)) == "BSD-2-Clause"
    assert licence(distribution(tmp_path, fields, three)) == "BSD-3-Clause"


@pytest.mark.parametrize("fields", ["", "License: BSD", "License: free as in beer"])
def test_a_licence_that_nothing_tells_is_refused(tmp_path: Path, fields: str) -> None:
    with pytest.raises(InputError, match="no SPDX expression"):
        licence(distribution(tmp_path, fields, "do what you like"))
