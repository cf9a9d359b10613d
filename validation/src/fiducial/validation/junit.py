"""The verdict as JUnit XML, for systems that show test results."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any


def junit_xml(results: dict[str, Any]) -> bytes:
    """One suite a chain, one test an observable; times are the chain's own."""
    root = ET.Element("testsuites", name=f"fiducial validation ({results['scale']})")
    tests = failures = 0
    details = {(f["chain"], f["observable"]): f["detail"] for f in results["failures"]}
    for chain in results["chains"]:
        bad = [o for o in chain["observables"] if not o["passed"]]
        tests += len(chain["observables"])
        failures += len(bad)
        seconds = chain["run"]["wall_seconds"] if chain["run"] else 0.0
        suite = ET.SubElement(
            root, "testsuite", name=chain["name"], tests=str(len(chain["observables"])),
            failures=str(len(bad)), errors="0", skipped="0", time=f"{seconds:.3f}",
        )  # fmt: skip
        for observable in chain["observables"]:
            case = ET.SubElement(
                suite, "testcase", classname=f"fiducial.validation.{chain['name']}",
                name=observable["name"], time="0",
            )  # fmt: skip
            properties = ET.SubElement(case, "properties")
            for name in ("p_value", "p_adjusted", "pull"):
                if observable[name] is not None:
                    ET.SubElement(
                        properties, "property", name=name, value=f"{observable[name]:.6g}"
                    )
            if not observable["passed"]:
                detail = details.get((chain["name"], observable["name"]), "")
                failure = ET.SubElement(
                    case, "failure", type=observable["failure"], message=detail
                )  # fmt: skip
                failure.text = f"{observable['failure']}: {detail}\nguards: {observable['guards']}"
    root.set("tests", str(tests))
    root.set("failures", str(failures))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
