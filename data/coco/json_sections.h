// A JSON file whose root is an object of sections, or one list, cut into pieces that can be parsed
// alone and at the same time, so that a file of any size is parsed by several threads in bounded
// memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/io/limits.h"
#include "core/io/sha256.h"
#include "data/coco/source_file.h"

namespace mrcnn {

// Bytes that may be read behind the text of a piece.
inline constexpr size_t kJsonPadding = 64;
inline constexpr int kMaxJsonDepth = static_cast<int>(kLimits.annotation.json_depth);

struct JsonPiece {
  std::string section;    // the root's key; "" where the root is a list
  bool is_array = false;  // the section's value
  bool is_first = false;  // of its section
  int64_t number = 0;     // pieces before it in the file
  int64_t begin = 0;      // the byte of the file that text[1] is
  // A JSON array: some consecutive elements of the section's array, or the section's value alone.
  // kJsonPadding bytes more than `size`.
  std::vector<char> text;
  size_t size = 0;
};

// The position behind the string that begins at text[at], or `end` if it does not end.
size_t skip_json_string(const char* text, size_t at, size_t end);

// Follows brackets and strings, across calls, without looking at what is between them.
class JsonNesting {
 public:
  enum class Stop {
    kEndOfText,
    kValueEnd,  // behind a bracket that closed an object or array of the outermost level
    kArrayEnd,  // at a bracket that closes the array which the text is inside of
    kUnopened,  // at a brace that nothing opened
    kTooDeep,
  };
  // Advances `at` up to `end`.
  Stop walk(const char* text, size_t& at, size_t end);

 private:
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

enum class JsonRoot {
  kSections,  // annotations: an object
  kList,      // results: an array, which is the only section
};

class JsonSections {
 public:
  // With `hash`, every byte of the file goes there as well.
  explicit JsonSections(SourceFile& file, JsonRoot root = JsonRoot::kSections,
                        Sha256* hash = nullptr);

  // Makes `piece` the next one, or returns false at the end of the file, whose form outside the
  // pieces is then known to be right. Throws FileError with the place as "byte N".
  bool next(JsonPiece& piece);
  int64_t num_pieces() const { return num_pieces_; }  // so far

 private:
  enum class State { kStart, kMember, kArray, kAfterValue, kEnd };

  void start();
  void check_root(int first) const;
  std::string within() const;  // the section, for messages
  bool start_member(JsonPiece& piece);
  void take_elements(JsonPiece& piece);
  void take_value(JsonPiece& piece);
  std::string take_key();
  void take_piece(JsonPiece& piece, size_t size);

  bool fill();  // more of the file behind the window; false at its end
  size_t available() const { return end_ - begin_; }
  const char* window() const { return window_.data() + begin_; }
  int peek();  // the next byte, -1 at the end
  int peek_behind_space();
  [[noreturn]] void fail(const std::string& problem, size_t ahead = 0) const;

  SourceFile& file_;
  const JsonRoot root_;
  Sha256* const hash_;
  std::vector<char> window_;  // bytes begin_ .. end_ are read and not yet taken
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t offset_ = 0;    // of window_[begin_] in the file
  int64_t num_read_ = 0;  // bytes of the file
  State state_ = State::kStart;
  bool any_member_ = false;
  std::string section_;
  bool first_piece_ = false;
  int64_t num_pieces_ = 0;
};

}  // namespace mrcnn
