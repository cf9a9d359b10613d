"""Arrays of every kind that an RNTuple can hold, for the tests of writers and readers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fiducial.io.rntuple.blocks import Compression
from fiducial.io.rntuple.cluster import PAGE_BYTES, flatten
from fiducial.io.rntuple.fields import LEAVES, describe
from fiducial.io.rntuple.read import RNTupleFile
from fiducial.io.rntuple.write import RootFileWriter

__all__ = ["any_bits", "bits", "every_kind", "read_events", "write_events"]


def any_bits(rng: np.random.Generator, dtype: str, n: int) -> npt.NDArray[Any]:
    """Any bits of a number; of floats also NaN, infinities and zeros of both signs, often."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return rng.random(n) < 0.5
    values = rng.integers(0, 256, n * kind.itemsize, np.uint8).view(kind)
    if kind.kind == "f":
        special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], kind)
        here = rng.random(n) < 0.2
        values[here] = rng.choice(special, int(here.sum()))
    return values


def every_kind(n: int = 40) -> dict[str, Any]:
    """Layouts by name: each leaf type, lists, arrays, records, options, unions, strings.

    The classes ``sample::Point`` and ``sample::Level`` (an enumeration of int) are named.
    """
    rng = np.random.default_rng(1)
    leaf, index = ak.contents.NumpyArray, ak.index.Index64
    found = {name: leaf(any_bits(rng, name, n)) for name in LEAVES if name[:5] != "float"}
    single = np.where(np.arange(n) % 9, rng.normal(size=n), np.nan).astype("f4")
    found["float32"] = leaf(single)
    found["float64"] = leaf(np.concatenate([[np.inf, -0.0, -np.inf], rng.normal(size=n - 3)]))
    offsets = np.concatenate([[0], np.cumsum(rng.poisson(2.0, n))]).astype(np.int64)
    m = int(offsets[-1])
    inner = np.concatenate([[0], np.cumsum(rng.poisson(2.0, m))]).astype(np.int64)
    floats = leaf(rng.normal(size=m).astype("f4"))
    whole = leaf(rng.integers(-9, 9, m).astype("i4"))

    def listed(content: Any, ends: Any = offsets) -> Any:
        return ak.contents.ListOffsetArray(index(ends), content)

    def record(name: str) -> Any:
        parameters = {"__record__": name} if name else None
        return ak.contents.RecordArray([floats, whole], ["x", "i"], parameters=parameters)

    shorts = leaf(rng.integers(0, 99, int(inner[-1])).astype("i2"))
    where = np.where(np.arange(n) % 3, np.arange(n), -1)
    return found | {
        "vector": listed(floats),
        "bools": listed(leaf(rng.random(m) < 0.3)),
        "nested": listed(listed(shorts, inner)),
        "string": ak.Array(["é" * int(k) for k in np.diff(offsets)]).layout,
        "strings": listed(ak.Array([f"x{i}" * (i % 3) for i in range(m)]).layout),
        "array": leaf(rng.normal(size=(n, 3))),
        "matrix": leaf(rng.integers(0, 9, (n, 2, 3)).astype("i2")),
        "untyped": listed(record("")),
        "typed": listed(record("sample::Point")),
        "tuple": ak.contents.RecordArray([found["int32"], found["float64"]], None),
        "optional": ak.contents.IndexedOptionArray(index(where), found["float64"]),
        "enum": leaf(rng.integers(0, 9, n).astype("i4"), parameters={"enum": "sample::Level"}),
        "variant": ak.Array([f"s{k}" if k % 2 else int(k) for k in range(n)]).layout,
    }


def write_events(
    path: str | os.PathLike[str],
    layouts: Mapping[str, Any],
    cuts: Iterable[int] = (),
    compression: Compression | None = None,
    threads: int = 1,
    page_bytes: int = PAGE_BYTES,
) -> None:
    """One RNTuple "events", with a cluster between each two of the cuts."""
    n = len(next(iter(layouts.values())))
    file = RootFileWriter(path, compression, threads, page_bytes)
    ntuple = file.ntuple("events", list(layouts), [a.form for a in layouts.values()])
    for first, stop in pairwise([0, *cuts, n]):
        ntuple.fill([a[first:stop] for a in layouts.values()], stop - first)
    file.close()


def read_events(
    path: str | os.PathLike[str], names: Iterable[str] | None = None, threads: int = 1
) -> dict[str, Any]:
    """The layouts of the RNTuple "events"."""
    with RNTupleFile(path, threads) as file:
        return file.ntuple("events").arrays(names)


def bits(layouts: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """Every column as type and bytes: equal bits hold the same to the last NaN."""
    fields = describe(list(layouts), [a.form for a in layouts.values()])
    return [
        (kind.name, np.ascontiguousarray(array).tobytes())
        for kind, array in flatten(fields, list(layouts.values()))
    ]
