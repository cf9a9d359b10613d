"""One suite of launch for every device, and what is special to one of them."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from numba import njit

from fiducial.core import device as devices
from fiducial.core.device import compile_ptx, launch, to_device, to_host
from fiducial.core.errors import EnvironmentProblem, InputError
from fiducial.core.launch_wrappers import fingerprint, wrappers_of
from fiducial.core.random import normal, philox4x32_10, uniform

OFFSET = 3


@njit
def scale(i, factor, x, y):
    y[i] = factor * x[i]


@njit
def neighbour(i, x, y):
    """Uses i - 1, which must stay a whole number whatever type the loop gives to i."""
    y[i] = x[i - 1 if i > 0 else i] + OFFSET


@njit
def draw(i, seed, event, u, g):
    u[i] = uniform(seed, event, i, 0)
    g[i] = normal(seed, event, i, 1)


@njit
def fill_jagged(i, offsets, values):
    """The fill step of count, prefix-sum, fill."""
    for j in range(offsets[i], offsets[i + 1]):
        values[j] = i


@njit
def philox_words(i, counters, keys, words):
    c, k = counters[i], keys[i]
    w = philox4x32_10(c[0], c[1], c[2], c[3], k[0], k[1])
    words[i, 0], words[i, 1], words[i, 2], words[i, 3] = w


def test_every_item_is_visited_once(device):
    n = 300
    x = to_device(np.arange(n, dtype=np.float64), device)
    y = to_device(np.zeros(n), device)
    launch(scale, n, 2.5, x, y, device=device)
    np.testing.assert_array_equal(to_host(y), 2.5 * np.arange(n))


def test_items_beyond_n_are_left_alone(device):
    x = to_device(np.ones(10), device)
    y = to_device(np.zeros(10), device)
    launch(scale, 4, 1.0, x, y, device=device)
    np.testing.assert_array_equal(to_host(y), [1.0] * 4 + [0.0] * 6)


def test_no_items_is_a_launch_that_does_nothing(device):
    x = to_device(np.ones(1), device)
    launch(scale, 0, 1.0, x, x, device=device)


def test_the_item_is_a_signed_integer_on_every_device(device):
    x = to_device(np.arange(50, dtype=np.int64), device)
    y = to_device(np.zeros(50, dtype=np.int64), device)
    launch(neighbour, 50, x, y, device=device)
    np.testing.assert_array_equal(to_host(y)[1:], np.arange(49) + OFFSET)


def test_jagged_outputs_are_filled(device):
    counts = np.array([2, 0, 3, 1])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    values = to_device(np.full(6, -1, dtype=np.int32), device)
    launch(fill_jagged, 4, to_device(offsets, device), values, device=device)
    np.testing.assert_array_equal(to_host(values), [0, 0, 2, 2, 2, 3])


# Random123's known-answer vectors for philox4x32, 10 rounds (kat_vectors of its distribution).
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def test_philox_gives_the_published_known_answers(device):
    counters, keys, answers = (
        np.array([[int(w, 16) for w in row[k].split()] for row in KNOWN_ANSWERS], dtype=np.uint64)
        for k in range(3)
    )
    words = to_device(np.zeros((3, 4), dtype=np.uint64), device)
    launch(philox_words, 3, to_device(counters, device), to_device(keys, device), words,
           device=device)  # fmt: skip
    np.testing.assert_array_equal(to_host(words), answers)


# uniform(seed=2^63 - 1, event=2^40 + 7, item, draw=0) and normal(…, draw=1), written down once
# from the Philox words of the counter (0, item, 7, 256) by exact integer arithmetic.
def _expected(seed, event, item):
    low = 0xFFFFFFFF
    c = [0, item, event & low, event >> 32]
    k = [seed & low, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & low, (p0 >> 32) ^ c[3] ^ k[1], p0 & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return (c[1] << 32 | c[0]) >> 11, (c[3] << 32 | c[2]) >> 11


def test_uniforms_are_the_same_bits_and_normals_the_same_numbers(device):
    from scipy.special import ndtri

    n, seed, event = 100, 2**63 - 1, 2**40 + 7
    u = to_device(np.zeros(n), device)
    g = to_device(np.zeros(n), device)
    launch(draw, n, seed, event, u, g, device=device)
    bits = np.array([_expected(seed, event, i) for i in range(n)])
    np.testing.assert_array_equal(to_host(u), bits[:, 0] * 2.0**-53)
    np.testing.assert_allclose(to_host(g), ndtri(bits[:, 1] * 2.0**-53), rtol=1e-13)


def test_the_answer_does_not_depend_on_the_threads():
    n = 10_000
    results = []
    for threads in (1, devices.NUMBA_SETTINGS.NUMBA_NUM_THREADS, None):
        u, g = np.zeros(n), np.zeros(n)
        launch(draw, n, 7, 1, u, g, threads=threads)
        results.append((u, g))
    for u, g in results[1:]:
        np.testing.assert_array_equal(u, results[0][0])
        np.testing.assert_array_equal(g, results[0][1])


def test_launches_from_several_python_threads_do_not_disturb_each_other():
    n = 2_000
    reference = np.zeros(n)
    launch(draw, n, 7, 1, reference, np.zeros(n))
    outputs = [np.zeros(n) for _ in range(8)]
    workers = [
        threading.Thread(target=launch, args=(draw, n, 7, 1, u, np.zeros(n))) for u in outputs
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for u in outputs:
        np.testing.assert_array_equal(u, reference)


def test_a_seed_of_64_bits_after_a_small_one_is_not_cut():
    u, g = np.zeros(1), np.zeros(1)
    launch(draw, 1, 1, 0, u, g, threads=1)
    launch(draw, 1, 2**64 - 1, 0, u, g, threads=1)
    assert u[0] == _expected(2**64 - 1, 0, 0)[0] * 2.0**-53


def test_a_kernel_made_inside_a_function_can_be_launched():
    shift = 2.0

    @njit
    def local(i, y):
        y[i] = shift * i

    y = np.zeros(5)
    launch(local, 5, y, threads=1)
    np.testing.assert_array_equal(y, 2.0 * np.arange(5))


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ((1.0, np.zeros(1)), "takes 3 columns, 2 were given (its columns are factor, x, y)"),
        ((1.0, [0.0], np.zeros(1)), "column x of kernel scale is a list"),
        ((2**64, np.zeros(1), np.zeros(1)), "more than 64 bits"),
    ],
)
def test_wrong_columns_are_refused_by_name(columns, text):
    with pytest.raises(InputError) as caught:
        launch(scale, 1, *columns)
    assert text in str(caught.value)


class _OnGpu:
    __cuda_array_interface__ = {}  # noqa: RUF012


def test_a_column_on_the_wrong_device_is_refused():
    with pytest.raises(InputError, match="column y of kernel scale lies on a GPU"):
        launch(scale, 1, 1.0, np.zeros(1), _OnGpu())


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="no device 'cud': did you mean cuda"):
        launch(scale, 1, 1.0, np.zeros(1), np.zeros(1), device="cud")


def test_what_is_not_a_kernel_is_refused():
    for bad in (len, "scale", lambda i, x: None):
        with pytest.raises(InputError, match="not a kernel"):
            launch(bad, 1, np.zeros(1))

    @njit
    def takes_any(i, *columns):
        pass

    with pytest.raises(InputError, match="by position"):
        launch(takes_any, 1, np.zeros(1))


@pytest.mark.parametrize("threads", [0, -1, 10_000])
def test_an_impossible_number_of_threads_is_refused(threads):
    with pytest.raises(InputError, match="numba may use 1 to"):
        launch(scale, 1, 1.0, np.zeros(1), np.zeros(1), threads=threads)


@pytest.mark.skipif(devices.available("cuda"), reason="there is a GPU here")
def test_cuda_without_a_gpu_says_so():
    with pytest.raises(EnvironmentProblem, match="no CUDA device"):
        launch(scale, 1, 1.0, np.zeros(1), np.zeros(1), device="cuda")


@pytest.mark.skipif(os.environ.get("NUMBA_ENABLE_CUDASIM") == "1", reason="no compiler there")
def test_kernels_compile_to_ptx_without_a_gpu():
    ptx = compile_ptx(draw, "int64, int64, float64[::1], float64[::1]", cc=(9, 0))
    assert ".target sm_90" in ptx
    assert ".entry" in ptx
    with pytest.raises(InputError, match="3 types, the kernel 4 columns"):
        compile_ptx(draw, "int64, int64, float64[::1]")


def test_philox_in_ptx_uses_no_floating_point():
    ptx = compile_ptx(philox_words, "uint64[:,::1], uint64[:,::1], uint64[:,::1]")
    assert ".f64" not in ptx
    assert ".f32" not in ptx


def test_a_missing_cuda_target_names_the_extra(monkeypatch):
    from fiducial.core import cuda_launch
    from fiducial.core.errors import MissingExtra

    cuda_launch._cuda.cache_clear()
    cuda_launch.require.cache_clear()
    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    import numba

    monkeypatch.delattr(numba, "cuda", raising=False)
    try:
        with pytest.raises(MissingExtra, match=r"fiducial-core\[cuda\]"):
            cuda_launch.require()
    finally:
        monkeypatch.undo()
        cuda_launch._cuda.cache_clear()


def _kernel_module(folder, factor):
    (folder / "far_away.py").write_text(
        f"from numba import njit\n@njit\ndef helper(x):\n    return {factor} * x\n"
    )
    (folder / "kernels.py").write_text(
        textwrap.dedent("""
            from numba import njit
            import far_away
            @njit
            def k(i, x, y):
                y[i] = far_away.helper(x[i])
        """)
    )


RUN = """
import numpy as np, sys
from fiducial.core.device import launch
from fiducial.core.launch_wrappers import wrappers_of
import kernels
y = np.zeros(3)
launch(kernels.k, 3, np.ones(3), y, threads=1)
print(y.tolist(), sum(wrappers_of(kernels.k).serial.stats.cache_hits.values()))
"""


def _run(folder):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_a_second_process_compiles_nothing_until_a_function_far_away_changes(tmp_path):
    _kernel_module(tmp_path, 2.0)
    assert _run(tmp_path) == "[2.0, 2.0, 2.0] 0"
    assert _run(tmp_path) == "[2.0, 2.0, 2.0] 1"
    _kernel_module(tmp_path, 5.0)
    assert _run(tmp_path) == "[5.0, 5.0, 5.0] 0"


def test_an_unwritable_cache_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    from fiducial.core import launch_wrappers

    monkeypatch.setattr(launch_wrappers, "_made", {})
    y = np.zeros(4)
    launch(scale, 4, 1.0, np.ones(4), y, threads=1)
    np.testing.assert_array_equal(y, np.ones(4))


def test_the_fingerprint_sees_constants_and_called_functions(monkeypatch):
    before = fingerprint(neighbour)
    assert before == fingerprint(neighbour)
    monkeypatch.setitem(globals(), "OFFSET", 4)
    assert fingerprint(neighbour) != before
    before = fingerprint(draw)
    monkeypatch.setitem(globals(), "normal", uniform)
    assert fingerprint(draw) != before


def test_wrappers_are_made_once():
    assert wrappers_of(scale) is wrappers_of(scale)
