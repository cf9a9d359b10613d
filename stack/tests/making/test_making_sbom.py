"""The bill of materials: valid CycloneDX 1.6, complete, and the same every time."""

from __future__ import annotations

import importlib.resources
import json
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from fiducial.stack.installed import licence_of
from fiducial.stack.manifest import read_manifest
from fiducial.stack.sbom import NAME, purl, render_sbom


@pytest.fixture(scope="module")
def bom(toy_stack: Path) -> dict[str, Any]:
    return dict(json.loads((toy_stack / NAME).read_bytes()))


def test_it_obeys_the_published_schema(bom: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    pytest.importorskip("cyclonedx")
    folder = importlib.resources.files("cyclonedx.schema") / "_res"
    found = {
        row.name: json.loads(row.read_text())
        for row in folder.iterdir()
        if row.name.endswith(".schema.json")
    }
    schema = next(found[name] for name in found if name.startswith("bom-1.6"))
    resources = [(row["$id"], referencing.Resource.from_contents(row)) for row in found.values()]
    registry = referencing.Registry().with_resources(resources)
    validator = jsonschema.Draft7Validator(schema, registry=registry)
    assert [error.message for error in validator.iter_errors(bom)] == []
    broken = {**bom, "components": [{"type": "library"}]}
    assert list(validator.iter_errors(broken)) != []  # the schema does judge


def test_every_package_is_there_with_its_hash_and_licence(
    bom: dict[str, Any], toy_stack: Path
) -> None:
    rows = {row["name"]: row for row in bom["components"]}
    manifest = read_manifest(toy_stack)
    assert sorted(rows) == [package.name for package in manifest.packages]
    for package in manifest.packages:
        row = rows[package.name]
        assert row["purl"] == purl(package) == f"pkg:pypi/{package.name}@{package.version}"
        assert row["hashes"] == [{"alg": "SHA-256", "content": package.source_sha256}]
        assert row["licenses"] == [{"expression": package.licence}]


def test_dependencies_form_one_closed_graph_from_the_stack(bom: dict[str, Any]) -> None:
    edges = {row["ref"]: row["dependsOn"] for row in bom["dependencies"]}
    known = {row["bom-ref"] for row in bom["components"]}
    root = bom["metadata"]["component"]["bom-ref"]
    reached, todo = set(), [root]
    while todo:
        todo += [ref for ref in edges[todo.pop()] if ref not in reached and not reached.add(ref)]  # type: ignore[func-returns-value]
    assert reached == known
    assert edges[root] == ["pkg:pypi/fiducial-beta@0.1.0"]


def test_the_same_stack_gives_the_same_bytes(toy_stack: Path) -> None:
    manifest = read_manifest(toy_stack)
    files = {path: entry for path, entry in manifest.files.items() if path != NAME}
    bare = manifest.model_copy(update={"files": files})
    assert render_sbom(bare) == (toy_stack / NAME).read_bytes()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"License-Expression": "mit"}, "MIT"),
        ({"License-Expression": "Apache-2.0 or bsd-3-clause"}, "Apache-2.0 OR BSD-3-Clause"),
        ({"License": "BSD 3-Clause"}, "BSD-3-Clause"),
        ({"License": "A long text\nof several lines", "Classifier": "License :: OSI Approved :: "
          "MIT License"}, "MIT"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: BSD License"},
         "BSD License"),
        ({"Classifier": "License :: OSI Approved"}, "unknown"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_a_licence_is_read_from_where_the_wheel_states_it(
    headers: dict[str, str], expected: str
) -> None:
    metadata = Message()
    for name, value in headers.items():
        metadata[name] = value
    assert licence_of(metadata) == expected
