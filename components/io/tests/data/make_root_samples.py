"""Make the samples that ROOT wrote: run by a Python that has ROOT, in this folder.

The values are formulas of the entry's number; test_io_ntuple.py holds the same formulas. Made
with ROOT 6.40.00 (the wheel ``root`` 0.1a12).
"""

import ROOT

CODE = r"""
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

namespace sample {
enum class Kind : std::uint8_t { kNone = 0, kOne = 1, kMany = 200 };
struct Point { float x; double y; std::array<std::int16_t, 3> a; };
struct Base { std::int64_t id; };
struct Hit : public Base { Point at; std::vector<std::uint16_t> samples; bool good; };
}

void write_types(const char* path, int settings) {
  using namespace ROOT;
  auto m = RNTupleModel::Create();
  auto b = m->MakeField<bool>("bool");
  auto c = m->MakeField<char>("char");
  auto by = m->MakeField<std::byte>("byte");
  auto i8 = m->MakeField<std::int8_t>("int8");
  auto u8 = m->MakeField<std::uint8_t>("uint8");
  auto i16 = m->MakeField<std::int16_t>("int16");
  auto u16 = m->MakeField<std::uint16_t>("uint16");
  auto i32 = m->MakeField<std::int32_t>("int32");
  auto u32 = m->MakeField<std::uint32_t>("uint32");
  auto i64 = m->MakeField<std::int64_t>("int64");
  auto u64 = m->MakeField<std::uint64_t>("uint64");
  auto f = m->MakeField<float>("float");
  auto d = m->MakeField<double>("double");
  auto half = std::make_unique<RField<float>>("half"); half->SetHalfPrecision();
  m->AddField(std::move(half));
  auto trunc = std::make_unique<RField<float>>("truncated"); trunc->SetTruncated(20);
  m->AddField(std::move(trunc));
  auto quant = std::make_unique<RField<float>>("quantized"); quant->SetQuantized(0., 15., 4);
  m->AddField(std::move(quant));
  auto s = m->MakeField<std::string>("string");
  auto vf = m->MakeField<std::vector<float>>("floats");
  auto vb = m->MakeField<std::vector<bool>>("bools");
  auto vs = m->MakeField<std::vector<std::string>>("strings");
  auto vv = m->MakeField<std::vector<std::vector<std::int32_t>>>("nested");
  auto rv = m->MakeField<ROOT::RVec<double>>("rvec");
  auto ar = m->MakeField<std::array<float, 3>>("array");
  auto aa = m->MakeField<std::array<std::array<std::int8_t, 2>, 2>>("arrays");
  auto bs = m->MakeField<std::bitset<11>>("bits");
  auto op = m->MakeField<std::optional<double>>("optional");
  auto up = m->MakeField<std::unique_ptr<std::int32_t>>("pointer");
  auto va = m->MakeField<std::variant<std::int32_t, std::string>>("variant");
  auto tu = m->MakeField<std::tuple<float, std::string>>("tuple");
  auto pa = m->MakeField<std::pair<std::int32_t, bool>>("pair");
  auto se = m->MakeField<std::set<std::int32_t>>("set");
  auto ma = m->MakeField<std::map<std::string, float>>("map");
  auto k = m->MakeField<sample::Kind>("kind");
  auto h = m->MakeField<sample::Hit>("hit");
  auto hs = m->MakeField<std::vector<sample::Hit>>("hits");
  auto px = RFieldBase::Create("hits_x", "std::vector<float>").Unwrap();
  m->AddProjectedField(std::move(px), [](const std::string& n) {
    return n == "hits_x" ? std::string("hits") : std::string("hits._0.at.x"); });
  auto pn = RFieldBase::Create("n_hits", "ROOT::RNTupleCardinality<std::uint32_t>").Unwrap();
  m->AddProjectedField(std::move(pn), [](const std::string&) { return std::string("hits"); });
  RNTupleWriteOptions o;
  o.SetCompression(settings);
  auto w = RNTupleWriter::Recreate(std::move(m), "events", path, o);
  auto e = w->GetModel().GetDefaultEntry().GetPtr<float>("half");
  auto t = w->GetModel().GetDefaultEntry().GetPtr<float>("truncated");
  auto q = w->GetModel().GetDefaultEntry().GetPtr<float>("quantized");
  std::shared_ptr<std::vector<float>> late;
  auto hit = [](int i, int j) {
    sample::Hit hit;
    hit.id = 1000L * i + j; hit.at.x = i + 0.5f * j; hit.at.y = -i - 0.25 * j;
    hit.at.a = {std::int16_t(i), std::int16_t(-j), 7};
    hit.samples.assign(j, std::uint16_t(i)); hit.good = (i + j) % 2;
    return hit; };
  for (int i = 0; i < 12; ++i) {
    if (i == 5) {
      auto updater = w->CreateModelUpdater();
      updater->BeginUpdate();
      late = updater->MakeField<std::vector<float>>("late");
      updater->CommitUpdate();
    }
    *b = i % 3 == 0; *c = 'a' + i; *by = std::byte(250 + i % 5); *i8 = -i; *u8 = 255 - i;
    *i16 = -300 * i; *u16 = 65535 - i; *i32 = i % 2 ? -70000 * i : 70000 * i;
    *u32 = 4294967295u - i; *i64 = -(1LL << 40) * i; *u64 = ~0ULL - i;
    *f = i == 3 ? NAN : i / 3.f; *d = i == 4 ? -INFINITY : (i == 6 ? -0. : i / 7.);
    *e = i * 0.5f; *t = i + 0.125f; *q = i;
    *s = std::string(i, 'x'); vf->assign(i % 4, i * 1.5f); vb->assign(i % 5, i % 2);
    vs->assign(i % 3, "s" + std::to_string(i));
    vv->clear(); for (int j = 0; j < i % 3; ++j) vv->push_back(std::vector<std::int32_t>(j + 1, i));
    rv->assign(i % 2, i / 9.); *ar = {float(i), float(i + 1), float(i + 2)};
    *aa = {{{std::int8_t(i), 1}, {2, std::int8_t(-i)}}};
    *bs = std::bitset<11>(37 * i); if (i % 2) *op = i / 2.; else op->reset();
    if (i % 3) *up = std::make_unique<std::int32_t>(i); else up->reset();
    if (i % 2) *va = "v" + std::to_string(i); else *va = i;
    *tu = {i / 2.f, std::string(i % 4, 't')}; *pa = {i, i % 2 == 0};
    se->clear(); for (int j = 0; j < i % 4; ++j) se->insert(i - j);
    ma->clear(); for (int j = 0; j < i % 3; ++j) (*ma)["k" + std::to_string(j)] = i + j;
    *k = i % 3 == 0 ? sample::Kind::kNone : i % 3 == 1 ? sample::Kind::kOne : sample::Kind::kMany;
    *h = hit(i, 2); hs->clear(); for (int j = 0; j < i % 4; ++j) hs->push_back(hit(i, j));
    if (late) late->assign(i % 3, i);
    w->Fill();
    if (i == 3 || i == 7) w->CommitCluster();
  }
}

void write_empty(const char* path) {
  auto m = ROOT::RNTupleModel::Create();
  m->MakeField<float>("x"); m->MakeField<std::vector<std::int32_t>>("v");
  auto w = ROOT::RNTupleWriter::Recreate(std::move(m), "events", path);
}
"""


def main():
    ROOT.gInterpreter.Declare(CODE)
    for name, settings in {"zstd": 505, "lz4": 404, "lzma": 207, "zlib": 101, "none": 0}.items():
        ROOT.write_types(f"root_types_{name}.root", settings)
    ROOT.write_empty("root_empty.root")


if __name__ == "__main__":
    main()
