#include "core/io/safetensors.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <new>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/io/limits.h"

namespace mrcnn {
namespace {

namespace dom = simdjson::dom;

constexpr SafetensorsLimits kMost = kLimits.safetensors;

// All of them except the ones of the format that no tensor here can hold.
std::optional<FileDType> dtype_from_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(FileDType::kU64); ++i) {
    const auto dtype = static_cast<FileDType>(i);
    if (file_dtype_name(dtype) == name) return dtype;
  }
  return std::nullopt;
}

bool is_known_but_unsupported(std::string_view name) {
  constexpr std::string_view kNames[] = {"C64",     "F8_E5M2",     "F8_E4M3",
                                         "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
                                         "F4",      "F6_E2M3",     "F6_E3M2"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// "-0" is not an unsigned integer, but the parser reports it as the integer 0. It has no business
// anywhere in a header, so it is looked for in the text, outside strings.
bool has_negative_zero(std::string_view json) {
  bool in_string = false;
  for (size_t i = 0; i + 1 < json.size(); ++i) {
    if (in_string && json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && json[i] == '-' && json[i + 1] == '0') {
      const char next = i + 2 < json.size() ? json[i + 2] : ' ';
      if (next != '.' && next != 'e' && next != 'E') return true;
    }
  }
  return false;
}

class HeaderParser {
 public:
  HeaderParser(const FileBytes& file, const std::string& path) : path_(path), file_(file.bytes) {}

  TensorArchive parse() {
    const std::string_view json = header_text();
    dom::parser parser;
    const dom::object root = parse_json(parser, json);
    TensorArchive archive;
    std::unordered_set<std::string_view> names;
    for (const auto [name, value] : root) {
      if (!names.insert(name).second) fail(fmt::format("\"{}\" appears twice", name));
      if (name == "__metadata__") {
        parse_metadata(value, archive);
      } else {
        if (archive.tensors.size() == kMost.tensors) {
          fail(fmt::format("holds more than {} tensors", kMost.tensors));
        }
        archive.tensors.push_back(parse_tensor(std::string(name), value));
      }
    }
    check_cover(archive);
    return archive;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw FileError(ExitCode::kModel, path_, "safetensors header", problem);
  }
  [[noreturn]] void fail_at(const std::string& name, const std::string& problem) const {
    fail(fmt::format("\"{}\": {}", name, problem));
  }

  std::string_view header_text() {
    if (file_.size() < 8) fail(fmt::format("the file ends after {} bytes", file_.size()));
    uint64_t length = 0;
    std::memcpy(&length, file_.data(), sizeof(length));
    if (length > static_cast<uint64_t>(kMost.header_bytes)) {
      fail(fmt::format("claims {} bytes; at most {} are allowed", length, kMost.header_bytes));
    }
    if (length > file_.size() - 8) {
      fail(
          fmt::format("claims {} bytes, but the file ends {} bytes after its start; it is "
                      "incomplete",
                      length, file_.size() - 8));
    }
    data_ = file_.subspan(8 + static_cast<size_t>(length));
    const void* text = file_.data() + 8;
    return {static_cast<const char*>(text), static_cast<size_t>(length)};
  }

  dom::object parse_json(dom::parser& parser, std::string_view json) const {
    if (!simdjson::validate_utf8(json.data(), json.size())) fail("is not UTF-8");
    const size_t first = json.find_first_not_of(" \t\r\n");
    if (first == json.npos || json[first] != '{') fail("is not a JSON object");
    if (has_negative_zero(json)) fail("holds the number -0");
    dom::element root;
    auto error = parser.allocate(std::max<size_t>(json.size(), 64), kMost.json_depth);
    if (!error) error = parser.parse(json.data(), json.size()).get(root);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    dom::object object;
    if (!error) error = root.get(object);
    if (error) fail(fmt::format("is not valid JSON: {}", simdjson::error_message(error)));
    return object;
  }

  void parse_metadata(dom::element value, TensorArchive& archive) const {
    dom::object object;
    if (value.get(object)) fail_at("__metadata__", "is not an object");
    for (const auto [key, element] : object) {
      std::string_view text;
      if (element.get(text)) fail_at("__metadata__", fmt::format("\"{}\" is not a string", key));
      if (!archive.metadata.emplace(key, text).second) {
        fail_at("__metadata__", fmt::format("\"{}\" appears twice", key));
      }
    }
  }

  FileTensor parse_tensor(std::string name, dom::element value) const {
    dom::object object;
    if (value.get(object)) fail_at(name, "is not an object");
    std::optional<dom::element> dtype, shape, offsets;
    for (const auto [key, element] : object) {
      std::optional<dom::element>* slot = key == "dtype"          ? &dtype
                                          : key == "shape"        ? &shape
                                          : key == "data_offsets" ? &offsets
                                                                  : nullptr;
      if (slot == nullptr) continue;  // extra fields are allowed and mean nothing
      if (slot->has_value()) fail_at(name, fmt::format("\"{}\" appears twice", key));
      *slot = element;
    }
    if (!dtype || !shape || !offsets) fail_at(name, "lacks dtype, shape or data_offsets");
    FileTensor tensor;
    tensor.name = std::move(name);
    tensor.dtype = parse_dtype(tensor.name, *dtype);
    for (const uint64_t extent : parse_integers(tensor.name, "shape", *shape, kMost.rank)) {
      if (extent > uint64_t{INT64_MAX}) fail_at(tensor.name, "has a shape too large to count");
      tensor.shape.push_back(static_cast<int64_t>(extent));
    }
    const std::vector<uint64_t> range = parse_integers(tensor.name, "data_offsets", *offsets, 2);
    if (range.size() != 2) fail_at(tensor.name, "data_offsets is not a pair");
    if (range[0] > range[1] || range[1] > data_.size()) {
      fail_at(tensor.name, fmt::format("lies at bytes {} to {} of {} bytes of data", range[0],
                                       range[1], data_.size()));
    }
    tensor.bytes =
        data_.subspan(static_cast<size_t>(range[0]), static_cast<size_t>(range[1] - range[0]));
    check_size(tensor);
    return tensor;
  }

  FileDType parse_dtype(const std::string& name, dom::element element) const {
    std::string_view text;
    if (element.get(text)) fail_at(name, "dtype is not a string");
    const std::optional<FileDType> dtype = dtype_from_name(text);
    if (dtype) return *dtype;
    fail_at(name, fmt::format("{} dtype \"{}\"",
                              is_known_but_unsupported(text) ? "unsupported" : "unknown", text));
  }

  std::vector<uint64_t> parse_integers(const std::string& name, const char* field,
                                       dom::element element, size_t limit) const {
    dom::array array;
    if (element.get(array)) fail_at(name, fmt::format("{} is not an array", field));
    std::vector<uint64_t> values;
    for (const dom::element item : array) {
      uint64_t value = 0;
      if (values.size() == limit) fail_at(name, fmt::format("{} is too long", field));
      if (item.get(value)) {
        fail_at(name,
                fmt::format("{} holds something that is not a whole number from 0 up", field));
      }
      values.push_back(value);
    }
    return values;
  }

  void check_size(const FileTensor& tensor) const {
    uint64_t size = static_cast<uint64_t>(file_dtype_bytes(tensor.dtype));
    for (const int64_t extent : tensor.shape) {
      if (__builtin_mul_overflow(size, static_cast<uint64_t>(extent), &size)) {
        fail_at(tensor.name, "has a shape too large to count");
      }
    }
    if (size != tensor.bytes.size()) {
      fail_at(tensor.name, fmt::format("[{}] {} takes {} bytes, but data_offsets give it {}",
                                       fmt::join(tensor.shape, ","), file_dtype_name(tensor.dtype),
                                       size, tensor.bytes.size()));
    }
  }

  // The tensors follow each other without hole or overlap and end where the file ends.
  void check_cover(const TensorArchive& archive) const {
    std::vector<std::pair<size_t, size_t>> ranges;
    ranges.reserve(archive.tensors.size());
    for (const FileTensor& tensor : archive.tensors) {
      const auto begin = static_cast<size_t>(tensor.bytes.data() - data_.data());
      ranges.emplace_back(begin, begin + tensor.bytes.size());
    }
    std::sort(ranges.begin(), ranges.end());
    size_t end = 0;
    for (const auto& [first, last] : ranges) {
      if (first != end) {
        fail(fmt::format("{} at byte {} of the data", first > end ? "a hole" : "an overlap",
                         std::min(first, end)));
      }
      end = last;
    }
    if (end != data_.size()) {
      fail(fmt::format("{} trailing bytes follow the last tensor", data_.size() - end));
    }
  }

  const std::string& path_;
  std::span<const std::byte> file_;
  std::span<const std::byte> data_;
};

}  // namespace

TensorArchive parse_safetensors(const FileBytes& file, const std::string& path) {
  TensorArchive archive = HeaderParser(file, path).parse();
  archive.owners.push_back(file.owner);
  return archive;
}

TensorArchive read_safetensors(const std::string& path) {
  return parse_safetensors(read_file(path, ExitCode::kModel), path);
}

}  // namespace mrcnn
