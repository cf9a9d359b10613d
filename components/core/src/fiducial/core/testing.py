"""A pytest plugin: the fixture ``device``, so that one suite runs on every device.

A test that takes ``device`` runs three times, each time with the name for ``launch``:

cpu      threads of this machine
cudasim  numba's CUDA simulator, good for small n. It must be switched on before numba is
         imported, so all such tests of a session run in one process of their own (with
         pytest-xdist: one for each test file and worker), whose reports stand here
gpu      a real GPU; skipped, with the reason, where there is none

The simulator runs kernels as plain Python: it shows that indices and branches are right, and
says nothing of compiled arithmetic.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["DEVICES"]

DEVICES = ("cpu", "cudasim", "gpu")

_REPORTS = "FIDUCIAL_CUDASIM_REPORTS"
"""Set in the simulator's process: the file that its reports go to."""

_SIMULATOR = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
_MESSAGES = pytest.StashKey[dict[str, list[dict[str, Any]]]]()
_DONE = pytest.StashKey[set[str]]()


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """The device to launch on: ``"cpu"``, or ``"cuda"`` for the simulator and for a GPU."""
    if request.param == "cpu":
        return "cpu"
    if request.param == "gpu":
        if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
            pytest.skip("numba's simulator is switched on: no GPU can be used in this process")
        from fiducial.core.device import available

        if not available("cuda"):
            pytest.skip("no GPU: numba.cuda finds no driver or no device")
    return "cuda"


def _in_simulator(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("device") == "cudasim"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report what the simulator's process has found for a test, instead of running it here."""
    if not _in_simulator(item) or os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        return None
    config = item.config
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for message in _messages(item):
        report = config.hook.pytest_report_from_serializable(config=config, data=message)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the simulator's process: write each report where the first process reads it."""
    target = os.environ.get(_REPORTS)
    if target and _config is not None:
        data = _config.hook.pytest_report_to_serializable(config=_config, report=report)
        with Path(target).open("a") as stream:
            stream.write(json.dumps(data, default=str) + "\n")


_config: pytest.Config | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the reports need, and start without any from the simulator."""
    global _config
    if _config is None:
        _config = config
    config.stash.setdefault(_MESSAGES, {})
    config.stash.setdefault(_DONE, set())


def _messages(item: pytest.Item) -> list[dict[str, Any]]:
    """The serialized reports of a test, running the simulator's process where needed."""
    stash = item.config.stash
    if item.nodeid not in stash[_DONE]:
        nodes = list(_batch(item))
        stash[_MESSAGES].update(_run_simulator(item.config, nodes))
        stash[_DONE].update(nodes)
    return stash[_MESSAGES][item.nodeid]


def _batch(item: pytest.Item) -> Iterator[str]:
    """The tests to run in one process: all of the session, or of the file under xdist."""
    one_file = hasattr(item.config, "workerinput")
    for other in item.session.items:
        if _in_simulator(other) and (not one_file or other.path == item.path):
            yield other.nodeid


def _run_simulator(config: pytest.Config, nodes: list[str]) -> dict[str, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory(prefix="fiducial-cudasim-") as folder:
        reports = Path(folder, "reports.jsonl")
        reports.touch()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST")}
        environment |= _SIMULATOR | {_REPORTS: str(reports)}
        environment.pop("PYTEST_ADDOPTS", None)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "no:xdist", "--rootdir", str(config.rootpath)]
        if config.inipath is not None:
            command += ["-c", str(config.inipath)]
        listing = Path(folder, "tests.txt")
        listing.write_text("\n".join(nodes))
        done = subprocess.run(
            [*command, f"@{listing}"],
            cwd=config.rootpath,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, list[dict[str, Any]]] = {node: [] for node in nodes}
        for line in reports.read_text().splitlines():
            message = json.loads(line)
            for key in ("location", "longrepr"):  # tuples that JSON has made lists
                if isinstance(message.get(key), list):
                    message[key] = tuple(message[key])
            found.setdefault(message["nodeid"], []).append(message)
    for node, messages in found.items():
        if not any(m.get("when") == "teardown" for m in messages):
            messages.append(_lost(node, done))
    return found


def _lost(node: str, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report of a test that the simulator's process did not finish."""
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
    text = f"the simulator's process ended with code {done.returncode} before this test:\n{tail}"
    return {
        "$report_type": "TestReport", "nodeid": node, "location": (node.split("::")[0], None, node),
        "keywords": {}, "outcome": "failed", "longrepr": text, "when": "call",
        "user_properties": [], "sections": [], "duration": 0.0, "start": 0.0, "stop": 0.0,
    }  # fmt: skip
