"""ROOT's own RNTuple writer and reader on the same table; run by a Python that has ROOT.

Usage: root_rival.py TABLE.npz FILE.root; says ROOT's version, then does each "write" and "read"
that it is told, and answers with a line. The loops are C++, compiled by ROOT's interpreter;
one thread, -O3, ROOT's default options (zstd 505).
"""

import sys

import numpy as np
import ROOT

CTYPES = {"uint32": "std::uint32_t", "uint64": "std::uint64_t", "int32": "std::int32_t",
          "float32": "float", "bool": "bool"}  # fmt: skip


def code(names, flat):
    """A writer and a reader of these columns."""
    arguments, make, fill, views, read = [], [], [], [], []
    for i, (name, kind) in enumerate(names.items()):
        c = CTYPES[kind]
        arguments.append(f"const {c}* a{i}, const long* o{i}")
        if name in flat:
            make.append(f'auto f{i} = model->MakeField<{c}>("{name}");')
            fill.append(f"*f{i} = a{i}[e];")
            views.append(f'auto v{i} = r->GetView<{c}>("{name}");')
            read.append(f"s += v{i}(e);")
        else:
            make.append(f'auto f{i} = model->MakeField<std::vector<{c}>>("{name}");')
            fill.append(f"f{i}->assign(a{i} + o{i}[e], a{i} + o{i}[e + 1]);")
            views.append(f'auto v{i} = r->GetView<std::vector<{c}>>("{name}");')
            read.append(f"for (auto x : v{i}(e)) s += x;")
    lines = "\n".join
    return f"""
#pragma cling optimize(3)
void write_table(const char* path, long n, {", ".join(arguments)}) {{
  auto model = ROOT::RNTupleModel::Create();
  {lines(make)}
  auto w = ROOT::RNTupleWriter::Recreate(std::move(model), "events", path);
  for (long e = 0; e < n; ++e) {{ {lines(fill)} w->Fill(); }}
}}
double read_table(const char* path, long n) {{
  auto r = ROOT::RNTupleReader::Open("events", path);
  {lines(views)}
  double s = 0;
  for (long e = 0; e < n; ++e) {{ {lines(read)} }}
  return s;
}}
"""


def main():
    table, path = sys.argv[1:]
    data = np.load(table)
    names = {n: data[n].dtype.name for n in data.files if not n.endswith("/offsets")}
    flat = [n for n in names if f"{n}/offsets" not in data.files]
    ROOT.gErrorIgnoreLevel = ROOT.kError
    ROOT.gInterpreter.Declare(code(names, flat))
    arguments = []
    none = np.zeros(1, np.int64)
    for name in names:
        offsets = none if name in flat else data[f"{name}/offsets"]
        arguments += [data[name], offsets]
    n = len(data[flat[0]])
    print(ROOT.__version__, flush=True)
    for line in sys.stdin:
        if line.strip() == "write":
            ROOT.write_table(path, n, *arguments)
        else:
            ROOT.read_table(path, n)
        print("done", flush=True)


if __name__ == "__main__":
    main()
