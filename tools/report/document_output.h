// A document on its way to a file or to standard output: complete there, or not there at all.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "core/io/file.h"

namespace mrcnn {

class DocumentOutput {
 public:
  // "-" is standard output; the text waits in an unnamed temporary file until commit(). Anything
  // else is a file, written beside its final name. Throws FileError if it cannot be created.
  explicit DocumentOutput(const std::string& path);

  void write(std::string_view text);
  void commit();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::unique_ptr<AtomicFile> file_;             // or
  std::unique_ptr<std::FILE, CloseFile> spool_;  // for standard output
};

}  // namespace mrcnn
