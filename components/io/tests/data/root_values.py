"""Print what ROOT reads in a file, as JSON: every column by RDataFrame and by RNTupleReader.

Usage: root_values.py FILE NTUPLE [CODE], run by a Python that has ROOT; CODE is C++ that declares
classes of the file.
"""

import json
import sys

import ROOT

PRINT = r"""
#include <cmath>
#include <cstring>
#include <optional>
#include <sstream>
#include <tuple>
#include <variant>

template <typename T> struct IsOptional : std::false_type {};
template <typename T> struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T> struct IsVariant : std::false_type {};
template <typename... T> struct IsVariant<std::variant<T...>> : std::true_type {};
template <typename T> struct IsTuple : std::false_type {};
template <typename... T> struct IsTuple<std::tuple<T...>> : std::true_type {};
template <typename T> struct IsArray : std::false_type {};
template <typename T, std::size_t N> struct IsArray<std::array<T, N>> : std::true_type {};

template <typename T> void put(std::ostream& o, const T& x) {
  if constexpr (std::is_same_v<T, bool>) o << (x ? "true" : "false");
  else if constexpr (std::is_enum_v<T>) o << (long)x;
  else if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x)) o << "NaN";
    else if (std::isinf(x)) o << (x > 0 ? "Infinity" : "-Infinity");
    else { char b[40]; snprintf(b, 36, "%.17g", (double)x); o << b;
      if (!strpbrk(b, ".e")) o << ".0"; }
  }
  else if constexpr (std::is_integral_v<T>) o << +x;
  else if constexpr (std::is_same_v<T, std::string>) {
    o << '"'; for (unsigned char c : x) {
      if (c == '"' || c == '\\' || c < 32) { char b[8]; snprintf(b, 8, "\\u%04x", c); o << b; }
      else o << c; } o << '"'; }
  else if constexpr (IsOptional<T>::value) { if (x) put(o, *x); else o << "null"; }
  else if constexpr (IsVariant<T>::value) std::visit([&](const auto& y) { put(o, y); }, x);
  else if constexpr (IsTuple<T>::value) {
    o << '['; bool first = true;
    std::apply([&](const auto&... y) {
      ((o << (first ? "" : ","), first = false, put(o, y)), ...); }, x);
    o << ']'; }
  else { o << '['; bool first = true;
    for (const auto& y : x) { if (!first) o << ','; first = false;
      put<std::decay_t<std::remove_cv_t<typename T::value_type>>>(o, y); }
    o << ']'; }
}
"""


NOT_IN_FRAMES = ("std::optional<", "std::variant<", "std::tuple<")
"""RDataFrame 6.40 takes no column of these types; nor of an interpreted enumeration."""


def functions(i, column, kind, stored, name, path):
    """C++ that prints a column as RDataFrame and as RNTupleReader give it."""
    code = ""
    if not kind.startswith(NOT_IN_FRAMES) and not ROOT.TEnum.GetEnum(kind):
        code += f"""
std::string frame_{i}() {{
  ROOT::RDataFrame frame("{name}", "{path}"); std::ostringstream o;
  auto taken = frame.Take<{kind}>("{column}");
  put<std::vector<{kind}>>(o, taken.GetValue()); return o.str(); }}
"""
    if stored:
        code += f"""
std::string reader_{i}() {{
  auto r = ROOT::RNTupleReader::Open("{name}", "{path}"); std::ostringstream o; o << '[';
  auto view = r->GetView<{stored}>("{column}");
  for (auto i : r->GetEntryRange()) {{ if (i) o << ','; put<{stored}>(o, view(i)); }}
  o << ']'; return o.str(); }}
"""
    return code


def main():
    path, name, *code = sys.argv[1:]
    ROOT.gErrorIgnoreLevel = ROOT.kError
    for text in (PRINT, *code):
        ROOT.gInterpreter.Declare(text)
    frame = ROOT.RDataFrame(name, path)
    types = {str(c): str(frame.GetColumnType(c)) for c in frame.GetColumnNames()}
    descriptor = ROOT.RNTupleReader.Open(name, path).GetDescriptor()
    text = ""
    for i, (column, kind) in enumerate(types.items()):
        stored = ""
        if "." not in column:
            field = descriptor.GetFieldDescriptor(descriptor.FindFieldId(column))
            stored = str(field.GetTypeName())
        text += functions(i, column, kind, stored, name, path)
    ROOT.gInterpreter.Declare(text)
    answer = {"frame": {}, "reader": {}}
    for i, column in enumerate(types):
        for way, found in answer.items():
            if f"{way}_{i}()" in text:
                found[column] = json.loads(str(getattr(ROOT, f"{way}_{i}")()))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
