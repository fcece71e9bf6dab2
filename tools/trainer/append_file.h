// A file that grows by whole records.
#pragma once

#include <string>
#include <string_view>

namespace mrcnn {

// Each append() is one write, so that a killed program leaves at most its last record torn.
// Failures throw FileError (ExitCode::kResources).
class AppendFile {
 public:
  enum class Open { kAppend, kNew };  // kNew: the file must not exist
  AppendFile(std::string path, Open mode);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view record);
  void sync();  // until it is on the disk

  const std::string& path() const { return path_; }
  bool empty() const;

 private:
  [[noreturn]] void fail(const char* action) const;

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace mrcnn
