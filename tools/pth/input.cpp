#include "tools/pth/input.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace mrcnn::pth {

void Input::fail(uint64_t offset, const std::string& problem) const {
  throw FileError(ExitCode::kModel, path_,
                  fmt::format("{}{}byte {}", part_, part_.empty() ? "" : " ", offset), problem);
}

void Input::fail(const std::string& problem) const {
  throw FileError(ExitCode::kModel, path_, part_, problem);
}

std::string_view Cursor::line(size_t limit) {
  const std::string_view rest = as_text(input_->bytes()).substr(static_cast<size_t>(position_));
  const size_t length = rest.substr(0, limit + 1).find('\n');
  if (length == rest.npos) {
    input_->fail(position_, rest.size() <= limit
                                ? "the data ends inside a line of text; the file is incomplete"
                                : fmt::format("a line of text is longer than {} bytes", limit));
  }
  position_ += length + 1;
  return rest.substr(0, length);
}

void Cursor::truncated(uint64_t wanted) const {
  const uint64_t size = input_->bytes().size();
  input_->fail(position_, fmt::format("{} bytes are needed, {} are left; the file is incomplete",
                                      wanted, size - std::min(position_, size)));
}

}  // namespace mrcnn::pth
