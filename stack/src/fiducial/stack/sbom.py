"""The bill of materials: a manifest's packages as CycloneDX 1.6 JSON.

Packages from the index get a ``pkg:pypi`` purl, our components too (they are distributions);
the interpreter a ``pkg:generic``. Hashes are those of the sources (the wheel that the lock
allows, the component's source tree), licences those that each package states. There is no time
and no random serial number in it: the same stack gives the same bytes.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from fiducial.stack.manifest import Manifest, Package

NAME = "sbom.cdx.json"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: URL


def purl(package: Package) -> str:
    """The package's address in the package-URL scheme."""
    kind = "generic" if package.kind == "interpreter" else "pypi"
    return f"pkg:{kind}/{quote(package.name)}@{quote(package.version, safe='')}"


def render_sbom(manifest: Manifest) -> bytes:
    """CycloneDX 1.6 JSON of ``manifest``; files are not listed, they are in the manifest."""
    root = f"stack:{manifest.stack}"
    serial = uuid.uuid5(_NAMESPACE, f"{manifest.stack}:{manifest.inputs_sha256}")
    tools = [
        _tool(f"fiducial-{manifest.builder.name}", manifest.builder.version),
        *(_tool(name, version) for name, version in manifest.builder.tools.items()),
    ]
    needed = {name for package in manifest.packages for name in package.requires}
    roots = [package for package in manifest.packages if package.name not in needed]
    bom: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "tools": {"components": tools},
            "component": {
                "type": "platform",
                "bom-ref": root,
                "name": f"fiducial-{manifest.environment}",
                "version": manifest.stack,
                "properties": [
                    {"name": "fiducial:lock_sha256", "value": manifest.lock_sha256},
                    {"name": "fiducial:inputs_sha256", "value": manifest.inputs_sha256},
                ],
            },
        },
        "components": [_component(package) for package in manifest.packages],
        "dependencies": [
            {"ref": root, "dependsOn": sorted(purl(package) for package in roots)},
            *(_dependency(manifest, package) for package in manifest.packages),
        ],
    }
    return (json.dumps(bom, indent=1, ensure_ascii=False) + "\n").encode()


def _tool(name: str, version: str) -> dict[str, str]:
    return {"type": "application", "name": name, "version": version}


def _component(package: Package) -> dict[str, Any]:
    kinds = {"interpreter": "application"}
    component: dict[str, Any] = {
        "type": kinds.get(package.kind, "library"),
        "bom-ref": purl(package),
        "name": package.name,
        "version": package.version,
    }
    if package.summary:
        component["description"] = package.summary
    component["hashes"] = [{"alg": "SHA-256", "content": package.source_sha256}]
    if package.licence != "unknown":
        component["licenses"] = [_licence(package.licence)]
    component["purl"] = purl(package)
    component["properties"] = [{"name": "fiducial:kind", "value": package.kind}]
    if package.source:
        component["properties"].append({"name": "fiducial:source", "value": package.source})
    return component


def _licence(text: str) -> dict[str, Any]:
    try:
        expression = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return {"license": {"name": text}}
    return {"expression": expression}


def _dependency(manifest: Manifest, package: Package) -> dict[str, Any]:
    found = [manifest.package(name) for name in package.requires]
    return {"ref": purl(package), "dependsOn": [purl(other) for other in found if other]}
