#include "tools/infer/text_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

constexpr int64_t kMaxListed = 8;  // keeps the line short in a crowd

}  // namespace

std::string class_text(int64_t label, const std::vector<std::string>& class_names) {
  const bool named = label >= 0 && label < static_cast<int64_t>(class_names.size()) &&
                     !class_names[static_cast<size_t>(label)].empty();
  return named ? class_names[static_cast<size_t>(label)] : fmt::format("class {}", label);
}

std::string describe_result(const ImageResult& result,
                            const std::vector<std::string>& class_names) {
  const int64_t count = result.instances.size();
  std::string text = fmt::format("{}: {} object{}", result.path, count, count == 1 ? "" : "s");
  for (int64_t i = 0; i < std::min(count, kMaxListed); ++i) {
    text += fmt::format("{} {} {:.2f}", i == 0 ? ":" : ",",
                        class_text(result.instances.labels.data<int64_t>()[i], class_names),
                        result.instances.scores.data<float>()[i]);
  }
  if (count > kMaxListed) text += fmt::format(" and {} more", count - kMaxListed);
  return printable(text);
}

}  // namespace mrcnn
