// Small readers of C++ and plain text for the structure rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mrcnn::structure {

std::vector<std::string_view> split_lines(std::string_view text);

struct Include {
  std::string_view target;
  bool quoted = false;  // "target", not <target>
  int line = 0;         // from 1
};
std::vector<Include> includes_of(std::string_view text);

// `text` with comments and the contents of string and character literals turned into spaces; lines
// keep their numbers.
std::string code_only(std::string_view text);

// Position of `word` in `text` from `start` on, where no letter, digit or underscore touches it;
// npos if there is none.
size_t find_word(std::string_view text, std::string_view word, size_t start = 0);

// "path:line: problem".
std::string finding(std::string_view path, int line, std::string_view problem);

}  // namespace mrcnn::structure
