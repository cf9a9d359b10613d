"""ROOT and we read each other: samples that ROOT wrote, and ROOT itself where there is one.

ROOT is found as the Python that FIDUCIAL_ROOT_PYTHON names, or as the module of this one.
"""

import importlib.util
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from fiducial.edm.testing import random_batch
from fiducial.io import write_rntuple
from fiducial.io.rntuple import Compression, RNTupleFile
from fiducial.io.rntuple.testing import every_kind, read_events, write_events

DATA = Path(__file__).parent / "data"
SAMPLES = ["zstd", "lz4", "lzma", "zlib", "none"]
PYTHON = os.environ.get("FIDUCIAL_ROOT_PYTHON") or (
    sys.executable if importlib.util.find_spec("ROOT") else None
)
needs_root = pytest.mark.skipif(
    PYTHON is None,
    reason="ROOT is not importable; set FIDUCIAL_ROOT_PYTHON to a Python that has it "
    "(pip install root==0.1a12, into an environment of its own)",
)


# --- What ROOT wrote (tests/data/make_root_samples.py) ---


def hit(i, j):
    return {
        ":_0": {"id": 1000 * i + j},
        "at": {"x": i + 0.5 * j, "y": -i - 0.25 * j, "a": [i, -j, 7]},
        "samples": [i] * j,
        "good": bool((i + j) % 2),
    }


def entry(i):
    """What make_root_samples.py puts into entry ``i``."""
    single = float(np.float32(i) / np.float32(3))
    hits = [hit(i, j) for j in range(i % 4)]
    return {
        "bool": i % 3 == 0, "char": 97 + i, "byte": 250 + i % 5, "int8": -i, "uint8": 255 - i,
        "int16": -300 * i, "uint16": 65535 - i, "int32": -70000 * i if i % 2 else 70000 * i,
        "uint32": 2**32 - 1 - i, "int64": -(2**40) * i, "uint64": 2**64 - 1 - i,
        "float": math.nan if i == 3 else single,
        "double": -math.inf if i == 4 else -0.0 if i == 6 else i / 7,
        "half": i * 0.5, "truncated": i + 0.125, "quantized": float(i),
        "string": "x" * i, "floats": [i * 1.5] * (i % 4), "bools": [i % 2 == 1] * (i % 5),
        "strings": [f"s{i}"] * (i % 3), "nested": [[i] * (j + 1) for j in range(i % 3)],
        "rvec": [i / 9] * (i % 2), "array": [float(i), i + 1.0, i + 2.0],
        "arrays": [[i, 1], [2, -i]], "bits": [bool(37 * i >> k & 1) for k in range(11)],
        "optional": i / 2 if i % 2 else None, "pointer": i if i % 3 else None,
        "variant": f"v{i}" if i % 2 else i, "tuple": (i / 2, "t" * (i % 4)),
        "pair": (i, i % 2 == 0), "set": sorted(i - j for j in range(i % 4)),
        "map": [(f"k{j}", float(i + j)) for j in range(i % 3)], "kind": [0, 1, 200][i % 3],
        "hit": hit(i, 2), "hits": hits, "hits_x": [h["at"]["x"] for h in hits],
        "n_hits": len(hits), "late": [float(i)] * (i % 3) if i >= 5 else [],
    }  # fmt: skip


@pytest.mark.parametrize("codec", SAMPLES)
def test_what_root_wrote_is_read_field_by_field(codec):
    with RNTupleFile(DATA / f"root_types_{codec}.root") as file:
        ntuple = file.ntuple("events")
        assert ntuple.clusters == [(0, 4), (4, 8), (8, 12)]
        assert ntuple.header.writer.startswith("ROOT v6")
        assert ntuple.projected == {"hits_x", "n_hits"}
        found = ntuple.arrays()
        part = ntuple.arrays(["late", "variant", "n_hits"], 1, 2)
    expected = [entry(i) for i in range(12)]
    assert set(found) == set(expected[0])
    for name, layout in found.items():
        assert repr(ak.to_list(layout)) == repr([e[name] for e in expected]), name
    for name, layout in part.items():
        assert ak.to_list(layout) == [e[name] for e in expected[4:8]], name


def test_roots_file_without_entries_is_read():
    with RNTupleFile(DATA / "root_empty.root") as file:
        ntuple = file.ntuple("events")
        assert (ntuple.n_entries, ntuple.clusters) == (0, [])
        assert ntuple.fields == {"x": "float", "v": "std::vector<std::int32_t>"}
        assert [len(layout) for layout in ntuple.arrays().values()] == [0, 0]


def test_our_list_of_classes_is_that_of_root(tmp_path):
    write_events(tmp_path / "x.root", {"a": ak.contents.NumpyArray(np.zeros(1))})
    shown = []
    for path in (tmp_path / "x.root", DATA / "root_empty.root"):
        with uproot.open(path) as file:
            text = io.StringIO()
            file.file.show_streamers(stream=text)
            shown.append(text.getvalue())
    assert "fSeekHeader" in shown[0]
    assert shown[0] == shown[1]


# --- What ROOT reads ---


def ask(script, *arguments):
    """The JSON that a script prints when ROOT's Python runs it."""
    done = subprocess.run(
        [PYTHON, str(script), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def plain(values):
    """Tuples as lists, as JSON has them."""
    return [plain(v) for v in values] if isinstance(values, list | tuple) else values


@needs_root
@pytest.mark.slow
@pytest.mark.parametrize("codec", [Compression(), Compression("lz4", 4), Compression("lzma", 6),
                                   Compression("none")], ids=lambda c: c.algorithm)  # fmt: skip
def test_root_reads_every_kind_by_frame_and_by_reader(tmp_path, codec):
    kinds = every_kind()
    write_events(tmp_path / "x.root", kinds, (13, 29), codec)
    code = "namespace sample { enum Level : int {}; }"
    answer = ask(DATA / "root_values.py", tmp_path / "x.root", "events", code)
    arrays = {name: ak.Array(layout) for name, layout in kinds.items()}
    missing = {"optional", "variant", "tuple", "enum"}
    tops = {name for name in kinds if name not in ("typed", "untyped")}
    assert {c for c in answer["frame"] if "." not in c} == tops - missing
    assert set(answer["reader"]) == tops
    for found in answer.values():
        for column, values in found.items():
            expected = arrays[column.split(".")[0]]
            for part in column.split(".")[1:]:
                expected = expected[part.lstrip("_")]
            assert repr(plain(expected.to_list())) == repr(values), column
    assert {"typed.x", "typed.i", "untyped.x", "untyped.i"} <= set(answer["frame"])


@needs_root
@pytest.mark.slow
def test_root_reads_every_column_of_an_event_file(tmp_path):
    batch = random_batch(1, 6, mean=2.0)
    write_rntuple(tmp_path / "x.root", batch, {"a": 1})
    answer = ask(DATA / "root_values.py", tmp_path / "x.root", "events")
    arrays = {name: ak.Array(layout) for name, layout in read_events(tmp_path / "x.root").items()}
    assert len(answer["frame"]) > 250
    assert {column.split(".")[0] for column in answer["frame"]} == set(arrays)
    for column, values in answer["frame"].items():
        expected = arrays[column.split(".")[0]]
        for part in column.split(".")[1:]:
            expected = expected[part]
        assert repr(expected.to_list()) == repr(values), column
    metadata = ask(DATA / "root_values.py", tmp_path / "x.root", "podio_metadata")["frame"]
    assert set(metadata["events___CollectionTypeInfo.name"][0]) == set(batch.names)


@needs_root
@pytest.mark.slow
def test_root_binds_records_to_the_classes_of_the_model(tmp_path):
    batch = random_batch(1, 12, types=["edm4hep::Track"])
    write_rntuple(tmp_path / "x.root", batch)
    code = tmp_path / "typed.py"
    code.write_text(f'''
import json, ROOT
ROOT.gInterpreter.Declare("""
namespace edm4hep {{
struct Vector3f {{ float x, y, z; }};
struct CovMatrix6f {{ std::array<float, 21> values; }};
struct TrackState {{ std::int32_t location; float D0, phi, omega, Z0, tanLambda, time;
                     Vector3f referencePoint; CovMatrix6f covMatrix; }};
}}
std::vector<double> sums() {{
  auto r = ROOT::RNTupleReader::Open("events", "{tmp_path / "x.root"}");
  auto view = r->GetView<std::vector<edm4hep::TrackState>>("_Tracks_trackStates");
  std::vector<double> s;
  for (auto i : r->GetEntryRange()) for (const auto& t : view(i)) {{
    s.push_back(t.location); s.push_back(t.referencePoint.z);
    s.push_back(t.covMatrix.values[20]); }}
  return s;
}}
""")
print(json.dumps([float(x) for x in ROOT.sums()]))
''')
    states = batch["Tracks"].vectors["trackStates"].columns
    expected = np.stack(
        [states["location"], states["referencePoint.z"], states["covMatrix"][:, 20]], axis=1
    )
    assert ask(code) == expected.astype(float).reshape(-1).tolist()
