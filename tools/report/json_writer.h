// Writes JSON as it is produced, so that a document of any length needs a few kilobytes.
// Numbers are the shortest text that reads back to the same value; strings are made valid UTF-8
// (each wrong byte becomes U+FFFD). Wrong nesting and non-finite numbers throw: JSON has neither.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mrcnn {

class JsonWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  enum class Layout { kOneLine, kLinePerItem };

  explicit JsonWriter(Sink sink) : sink_(std::move(sink)) {}

  void begin_array(Layout layout = Layout::kOneLine) { open('[', layout); }
  void end_array() { close('[', ']'); }
  void begin_object() { open('{', Layout::kOneLine); }
  void end_object() { close('{', '}'); }
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(int64_t number);
  void value(float number);
  void value(double number);
  void value(bool flag);
  void null();

  // A key and its value.
  template <typename T>
  void member(std::string_view name, const T& item) {
    key(name);
    value(item);
  }

  // Ends the document with a line break and hands the rest to the sink. Call it once, at the end.
  void finish();

 private:
  struct Level {
    char bracket;
    Layout layout;
    int64_t num_items;
  };

  void open(char bracket, Layout layout);
  void close(char bracket, char closing);
  void start_value();
  void append_string(std::string_view text);
  template <typename T>
  void append_number(T number);
  void flush_when_large();

  Sink sink_;
  std::string buffer_;
  std::vector<Level> levels_;
  bool after_key_ = false;
  bool complete_ = false;  // one whole value was written
};

}  // namespace mrcnn
