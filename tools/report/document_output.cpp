#include "tools/report/document_output.h"

#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#include "core/error.h"

namespace mrcnn {
namespace {

[[noreturn]] void fail(const std::string& action) {
  throw FileError(ExitCode::kResources, "standard output", "",
                  action + ": " + std::generic_category().message(errno));
}

}  // namespace

DocumentOutput::DocumentOutput(const std::string& path) {
  if (path != "-") {
    file_ = std::make_unique<AtomicFile>(path);
    return;
  }
  spool_.reset(std::tmpfile());
  if (!spool_) fail("no temporary file for the results");
}

void DocumentOutput::write(std::string_view text) {
  if (file_) {
    file_->write(std::as_bytes(std::span(text)));
  } else if (std::fwrite(text.data(), 1, text.size(), spool_.get()) != text.size()) {
    fail("cannot write the temporary file of the results");
  }
}

void DocumentOutput::commit() {
  if (file_) return file_->commit();
  if (std::fflush(spool_.get()) != 0) fail("cannot write the temporary file of the results");
  std::rewind(spool_.get());
  std::array<char, 64 * 1024> block{};
  while (const size_t count = std::fread(block.data(), 1, block.size(), spool_.get())) {
    if (std::fwrite(block.data(), 1, count, stdout) != count) fail("cannot write");
  }
  if (std::ferror(spool_.get()) != 0) fail("cannot read the temporary file of the results");
  if (std::fflush(stdout) != 0) fail("cannot write");
}

}  // namespace mrcnn
