"""The fixture ``device``: the simulator's verdicts arrive, whatever they are."""

import os
import subprocess
import sys

import pytest

SUITE = """
import os
import numpy as np
import pytest
from numba import njit
from fiducial.core.device import launch, to_device, to_host

@njit
def k(i, x):
    x[i] = i

@pytest.fixture(scope="module")
def shared():
    yield 7

def test_good(device, shared):
    x = to_device(np.zeros(3), device)
    launch(k, 3, x, device=device)
    assert to_host(x).tolist() == [0, 1, 2]
    assert (os.environ.get("NUMBA_ENABLE_CUDASIM") == "1") == (device == "cuda")

def test_wrong(device):
    assert device == "cpu", "only the simulator fails"

def test_skipped(device):
    pytest.skip("because")

def test_after(shared):
    assert shared == 7
"""

CRASH = """
import os
def test_crash(device):
    if device == "cuda":
        os._exit(9)
def test_next(device):
    pass
"""


def run(folder, *options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "NUMBA_EN"))}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options, "."]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-n2"]], ids=["alone", "xdist"])
def test_reports_of_the_simulator_stand_in_the_session(tmp_path, options):
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "test_zz.py").write_text("def test_z():\n    pass\n")
    output = run(tmp_path, *options)
    assert "only the simulator fails" in output
    assert "FAILED test_suite.py::test_wrong[cudasim]" in output
    assert "1 failed, 5 passed, 5 skipped" in output  # no GPU: 3 skipped; 2 of test_skipped


@pytest.mark.slow
def test_a_crash_of_the_simulator_is_a_failure_that_says_so(tmp_path):
    (tmp_path / "test_crash.py").write_text(CRASH)
    output = run(tmp_path)
    assert "the simulator's process ended with code 9 before this test" in output
    assert "2 failed, 2 passed, 2 skipped" in output
