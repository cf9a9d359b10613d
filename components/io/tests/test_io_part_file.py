"""Part files give back every bit, and notice every flipped one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm.generated import TYPES
from fiducial.edm.testing import random_batch
from fiducial.io import DamagedFile, load_part, save_part

TABLES = {
    "dimuon": {"mass": np.array([91.2, np.nan, -0.0]), "n": np.array([1, 2, 3], dtype=np.int8)},
    "names": {"label": np.array(["a", "", "ü"]), "ok": np.array([True, False, True])},
    "empty": {},
    "no rows": {"x": np.zeros(0)},
}


def same_tables(a, b):
    assert a.keys() == b.keys()
    for name, table in a.items():
        assert table.keys() == b[name].keys()
        for key, column in table.items():
            assert column.dtype == b[name][key].dtype
            assert column.tobytes() == b[name][key].tobytes()


@pytest.mark.parametrize("mmap", [True, False])
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_events=st.integers(0, 8),
    mean=st.sampled_from([0.0, 3.0]),
    types=st.lists(st.sampled_from(sorted(TYPES)), unique=True, max_size=5),
)
def test_events_and_tables_come_back_bit_for_bit(
    tmp_path_factory, mmap, seed, n_events, mean, types
):
    batch = random_batch(seed, n_events, mean, types)
    path = tmp_path_factory.mktemp("part") / "x.part"
    save_part(path, batch, TABLES)
    again, tables = load_part(path, mmap)
    assert again == batch
    same_tables(TABLES, tables)


def test_all_types_and_no_events_at_all(tmp_path):
    path = tmp_path / "x.part"
    batch = random_batch(1, 3)
    save_part(path, batch)
    assert load_part(path) == (batch, {})
    save_part(path, None, {"t": {"x": np.arange(2)}})
    again, tables = load_part(path)
    assert again is None
    assert tables["t"]["x"].tolist() == [0, 1]


def test_every_single_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "x.part"
    save_part(path, random_batch(1, 1, 1.0, ["edm4hep::EventHeader"]), {"t": {"x": np.arange(3)}})
    content = path.read_bytes()
    rng = np.random.default_rng(2)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(DamagedFile, match=str(path)):
            load_part(path)


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "x.part"
    save_part(path, random_batch(1, 1, 1.0, ["edm4hep::EventHeader"]))
    content = path.read_bytes()
    for size in range(0, len(content), 3):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedFile, match=str(path)):
            load_part(path)


def test_a_mapped_part_survives_its_replacement_and_its_arrays_are_private(tmp_path):
    path = tmp_path / "x.part"
    save_part(path, None, {"t": {"x": np.arange(1000)}})
    _, first = load_part(path)
    save_part(path, None, {"t": {"x": np.zeros(1000)}})
    assert first["t"]["x"].tolist() == list(range(1000))
    _, second = load_part(path)
    second["t"]["x"][:] = 7
    assert load_part(path)[1]["t"]["x"].sum() == 0


def test_columns_of_objects_are_refused_by_name(tmp_path):
    with pytest.raises(Mistakes, match=r"t\.x: a column of object cannot be written"):
        save_part(tmp_path / "x.part", None, {"t": {"x": np.array([{}, None])}})
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_part(tmp_path / "none.part")
