"""The fixture ``device``: the simulator's verdicts arrive, whatever they are."""

import os
import subprocess
import sys

import pytest

# numba is left out of these suites, and so are the GPU's variants, which would import it: what
# runs on the devices is the matter of test_core_device.
SUITE = """
import os
import pytest

@pytest.fixture(scope="module")
def shared():
    yield 7

def test_good(device, shared):
    assert device == ("cuda" if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else "cpu")
    assert os.environ.get("NUMBA_ENABLE_CUDASIM") == os.environ.get("NUMBA_DISABLE_JIT")

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
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "-k",
        "not gpu",
        *options,
        ".",
    ]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.mark.parametrize("options", [[], ["-n2"]], ids=["alone", "xdist"])
def test_reports_of_the_simulator_stand_in_the_session(tmp_path, options):
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "test_zz.py").write_text("def test_z():\n    pass\n")
    output = run(tmp_path, *options)
    assert "only the simulator fails" in output
    assert "FAILED test_suite.py::test_wrong[cudasim]" in output
    assert "1 failed, 5 passed, 2 skipped" in output


def test_a_crash_of_the_simulator_is_a_failure_that_says_so(tmp_path):
    (tmp_path / "test_crash.py").write_text(CRASH)
    output = run(tmp_path)
    assert "the simulator's process ended with code 9 before this test" in output
    assert "2 failed, 2 passed" in output
