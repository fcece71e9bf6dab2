// An annotation file, or a text already in memory, read once from front to back in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/io/file.h"
#include "core/io/input_file.h"

namespace mrcnn {

// What the file system says of a file. Content that changes takes `changed_ns` (ctime) with it,
// which no program can set back.
struct SourceStamp {
  int64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  uint64_t inode = 0;
  uint64_t device = 0;

  friend bool operator==(const SourceStamp&, const SourceStamp&) = default;
};

class SourceFile {
 public:
  // Throws FileError with ExitCode::kData if it is not a regular file that can be read.
  explicit SourceFile(const std::string& path);
  // A text in memory, which never changes; `name` stands in messages. Of its stamp only the size is
  // known.
  SourceFile(const FileBytes& text, const std::string& name);

  const std::string& path() const { return path_; }
  const SourceStamp& stamp() const { return stamp_; }  // when it was opened
  // Whether the file had then been left alone for so long that any later change gives it another
  // stamp. File systems stamp with the time of a tick, so two changes in one are stamped alike.
  bool is_settled() const { return is_settled_; }

  // The next bytes; fewer than asked for at the end only.
  size_t read(std::span<char> target);
  void rewind();
  // Throws FileError if the file is not what it was when it was opened.
  void check_unchanged() const;

 private:
  std::string path_;
  std::optional<InputFile> file_;  // else it is a text
  FileBytes text_;
  size_t position_ = 0;  // in the text
  SourceStamp stamp_;
  bool is_settled_ = false;
};

}  // namespace mrcnn
