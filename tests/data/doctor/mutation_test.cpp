// Whatever is done to a file: the doctor reads it, and what it can clean is clean.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/random.h"
#include "data/doctor/cleaned_copy.h"
#include "data/doctor/doctor.h"
#include "tests/data/doctor/planted_set.h"

namespace mrcnn {
namespace {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_{.seed = seed, .purpose = RandomPurpose::kTest} {}

  void mutate(std::string& text) {
    const size_t at = below(text.size());
    switch (below(5)) {
      case 0: {
        constexpr std::string_view kBytes = "{}[],:\"0123456789-.eENntrulf \\\xC3\x00";
        text[at] = kBytes[below(kBytes.size())];
        break;
      }
      case 1:
        text.erase(at, 1 + below(12));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), 1 + below(40)));
        break;
      case 3:
        change_number(text, at);
        break;
      default: {
        // A line is an element: the same one again.
        const size_t begin = text.rfind('\n', at);
        const size_t end = text.find('\n', at);
        if (begin != std::string::npos && end != std::string::npos) {
          text.insert(end, text.substr(begin, end - begin));
        }
      }
    }
  }
  size_t below(size_t bound) { return static_cast<size_t>(random_.word(next_++) % bound); }

 private:
  void change_number(std::string& text, size_t at) {
    constexpr std::array<std::string_view, 12> kValues = {
        "0",   "-1",  "1e300", "NaN", "-Infinity", "\"7\"", "null", "9223372036854775807",
        "0.5", "1e9", "[]",    "{}"};
    const size_t begin = text.find_first_of("0123456789", at);
    if (begin == std::string::npos) return;
    const size_t end = text.find_first_not_of("0123456789.", begin);
    if (end == std::string::npos) return;
    text.replace(begin, end - begin, kValues[below(kValues.size())]);
  }

  RandomStream random_;
  uint64_t next_ = 0;
};

TEST_CASE("Mutated files are read, and their cleaned copies have no errors") {
  const test::TemporaryDirectory folder;
  const std::string good = test::good_set(folder).text();
  int64_t cleaned = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    Mutator mutator(seed);
    std::string text = good;
    for (size_t i = 1 + mutator.below(4); i > 0; --i) mutator.mutate(text);
    const std::string path = folder.write("a.json", text);
    const Diagnosis diagnosis = diagnose(path);
    for (const Finding& one : diagnosis.report.findings) {
      REQUIRE(one.byte < static_cast<int64_t>(text.size()));
    }
    if (!diagnosis.report.readable) {
      CHECK(diagnosis.report.count(Severity::kError) > 0);
      continue;
    }
    write_cleaned(path, diagnosis, folder / "b.json");
    const DoctorReport copy = diagnose(folder / "b.json").report;
    ++cleaned;
    for (const Finding& one : copy.findings) {
      if (facts_of(one.kind).severity != Severity::kError) continue;
      FAIL_CHECK("left in the copy: " << facts_of(one.kind).name << " " << place_of(one) << ": "
                                      << one.problem);
    }
  }
  CHECK(cleaned > 50);
}

}  // namespace
}  // namespace mrcnn
