#include "tools/infer/class_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "core/error.h"
#include "tools/command_line.h"

namespace mrcnn {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return result;
}

std::string_view trim(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

int64_t label_by_id(std::string_view word, int64_t num_classes) {
  int64_t label = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), label);
  if (result.ec != std::errc() || label < 1 || label >= num_classes) {
    throw UsageError(fmt::format("--classes: there is no class {}; this model's ids are 1 to {}",
                                 word, num_classes - 1));
  }
  return label;
}

int64_t label_by_name(std::string_view word, std::span<const std::string> class_names) {
  std::vector<std::string> names;
  for (size_t label = 1; label < class_names.size(); ++label) {
    names.push_back(lower(class_names[label]));
  }
  const auto match = std::find(names.begin(), names.end(), lower(word));
  if (match != names.end()) return match - names.begin() + 1;
  const std::string near = nearest_word(lower(word), names);
  throw UsageError(fmt::format("--classes: this model has no class '{}'{}", word,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Tensor select_rows(const Tensor& tensor, std::span<const int64_t> rows) {
  if (!tensor.defined()) return {};
  std::vector<int64_t> extents(tensor.shape().extents().begin(), tensor.shape().extents().end());
  const int64_t row_bytes = tensor.size(0) > 0 ? tensor.bytes() / tensor.size(0) : 0;
  extents[0] = static_cast<int64_t>(rows.size());
  Tensor selected = Tensor::empty(Shape(extents), tensor.dtype());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(selected.raw() + static_cast<int64_t>(i) * row_bytes,
                tensor.raw() + rows[i] * row_bytes, static_cast<size_t>(row_bytes));
  }
  return selected;
}

}  // namespace

ClassFilter::ClassFilter(std::string_view list, std::span<const std::string> class_names)
    : kept_(class_names.size(), false) {
  bool more = true;
  while (more) {
    const size_t comma = list.find(',');
    more = comma != std::string_view::npos;
    const std::string_view word = trim(list.substr(0, comma));
    if (more) list.remove_prefix(comma + 1);
    if (word.empty()) throw UsageError("--classes: a class is missing; write names or ids as a,b");
    const bool is_id = word.find_first_not_of("0123456789") == std::string_view::npos;
    const int64_t label = is_id ? label_by_id(word, static_cast<int64_t>(class_names.size()))
                                : label_by_name(word, class_names);
    kept_[static_cast<size_t>(label)] = true;
  }
}

bool ClassFilter::keeps(int64_t label) const {
  return kept_.empty() || (label >= 0 && label < static_cast<int64_t>(kept_.size()) &&
                           kept_[static_cast<size_t>(label)]);
}

Instances ClassFilter::apply(const Instances& instances) const {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < instances.size(); ++i) {
    if (keeps(instances.labels.data<int64_t>()[i])) rows.push_back(i);
  }
  if (static_cast<int64_t>(rows.size()) == instances.size()) return instances;
  return {.height = instances.height,
          .width = instances.width,
          .boxes = select_rows(instances.boxes, rows),
          .labels = select_rows(instances.labels, rows),
          .scores = select_rows(instances.scores, rows),
          .mask_probs = select_rows(instances.mask_probs, rows)};
}

}  // namespace mrcnn
