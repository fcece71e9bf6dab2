#include <fmt/format.h>

#include <vector>

#include "core/error.h"
#include "data/masks/rle.h"

namespace mrcnn {
namespace {

constexpr int64_t kFirstChar = 48;
constexpr int kGroupBits = 5;
constexpr int64_t kGroupMask = 0x1F;
constexpr int64_t kSignBit = 0x10;
constexpr int64_t kMoreBit = 0x20;
constexpr int kMaxGroups = 7;  // 35 bits hold any difference of two 32-bit runs

[[noreturn]] void fail(const std::string& problem) {
  throw Error(ExitCode::kData, "[rle] " + problem);
}

void check_size(int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height > kMaxRlePixels / width) {
    fail(fmt::format("mask size {}x{} is not between 1x1 and {} pixels", width, height,
                     kMaxRlePixels));
  }
}

// Adds runs one by one, merging across runs of 0 and checking the running sum, so that a long list
// of large numbers is refused before it is stored.
class RunCollector {
 public:
  RunCollector(int64_t height, int64_t width, size_t most_runs) : rle_{height, width, {}} {
    rle_.counts.reserve(most_runs);
  }

  void add(int64_t run, size_t index) {
    const int64_t left = rle_.height * rle_.width - sum_;
    if (run < 0) fail(fmt::format("run {} is negative: {}", index, run));
    if (run > left) {
      fail(fmt::format("runs add up to more than {} at run {}", rle_.height * rle_.width, index));
    }
    sum_ += run;
    const bool foreground = index % 2 == 1;
    const bool last_is_foreground = rle_.counts.size() % 2 == 0;
    if (rle_.counts.empty()) {
      if (foreground) rle_.counts.push_back(0);
      rle_.counts.push_back(static_cast<uint32_t>(run));
    } else if (run > 0 && foreground == last_is_foreground) {
      rle_.counts.back() += static_cast<uint32_t>(run);
    } else if (run > 0) {
      rle_.counts.push_back(static_cast<uint32_t>(run));
    }
  }

  Rle finish() && {
    if (sum_ != rle_.height * rle_.width) {
      fail(fmt::format("runs add up to {}, but the mask has {}x{} pixels", sum_, rle_.width,
                       rle_.height));
    }
    return std::move(rle_);
  }

 private:
  Rle rle_;
  int64_t sum_ = 0;
};

// Reads one number and moves `position` behind it.
int64_t read_number(std::string_view text, size_t& position) {
  int64_t value = 0;
  for (int group = 0; group < kMaxGroups; ++group) {
    if (position == text.size()) fail("the string ends inside a number");
    const int64_t code = static_cast<unsigned char>(text[position]) - kFirstChar;
    if (code < 0 || code > (kGroupMask | kMoreBit)) {
      fail(fmt::format("byte {} at {} is outside '0'..'o'", code + kFirstChar, position));
    }
    ++position;
    value |= (code & kGroupMask) << (kGroupBits * group);
    if ((code & kMoreBit) == 0) {
      if ((code & kSignBit) != 0) value -= int64_t{1} << (kGroupBits * (group + 1));
      return value;
    }
  }
  fail(fmt::format("the number before {} has more than {} groups", position, kMaxGroups));
}

// Calls visit(run, index) for every run of a compressed string, which may be negative. The runs as
// written, not as merged, are what later ones are differences to.
template <typename F>
void for_each_written_run(std::string_view text, F&& visit) {
  size_t position = 0;
  int64_t previous = 0;
  int64_t before_previous = 0;
  for (size_t index = 0; position < text.size(); ++index) {
    const int64_t number = read_number(text, position);
    const int64_t run = index > 2 ? number + before_previous : number;
    visit(run, index);
    before_previous = previous;
    previous = run;
  }
}

}  // namespace

std::string rle_to_string(const Rle& rle) {
  std::string text;
  text.reserve(2 * rle.counts.size());
  for (size_t i = 0; i < rle.counts.size(); ++i) {
    int64_t value = rle.counts[i];
    if (i > 2) value -= rle.counts[i - 2];
    bool more = true;
    while (more) {
      const int64_t group = value & kGroupMask;
      value >>= kGroupBits;
      more = (group & kSignBit) != 0 ? value != -1 : value != 0;
      text.push_back(static_cast<char>(kFirstChar + group + (more ? kMoreBit : 0)));
    }
  }
  return text;
}

std::vector<int64_t> rle_string_runs(std::string_view text) {
  std::vector<int64_t> runs;
  for_each_written_run(text, [&runs](int64_t run, size_t) { runs.push_back(run); });
  return runs;
}

Rle rle_from_string(std::string_view text, int64_t height, int64_t width) {
  check_size(height, width);
  // Most numbers take one or two characters.
  RunCollector runs(height, width, text.size() / 2 + 1);
  for_each_written_run(text, [&runs](int64_t run, size_t index) { runs.add(run, index); });
  return std::move(runs).finish();
}

Rle rle_from_counts(std::span<const int64_t> counts, int64_t height, int64_t width) {
  check_size(height, width);
  RunCollector runs(height, width, counts.size());
  for (size_t i = 0; i < counts.size(); ++i) runs.add(counts[i], i);
  return std::move(runs).finish();
}

}  // namespace mrcnn
