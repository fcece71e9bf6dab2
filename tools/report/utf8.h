// Text of unknown encoding (file names, class names of a weight file) made fit for JSON and for a
// terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mrcnn {

// `text` with every byte that does not belong to a well-formed UTF-8 sequence (RFC 3629: no
// overlong forms, no surrogates, at most U+10FFFF) replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// Valid UTF-8 without control characters: each becomes '?', so that a file name cannot move the
// cursor or break a line.
std::string printable(std::string_view text);

// Number of code points of valid UTF-8: its width on a terminal, for the texts printed here.
int64_t count_code_points(std::string_view text);

// The first `count` code points of valid UTF-8.
std::string_view take_code_points(std::string_view text, int64_t count);

}  // namespace mrcnn
