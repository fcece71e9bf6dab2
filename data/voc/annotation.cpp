#include "data/voc/annotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"
#include "data/voc/xml.h"

namespace mrcnn {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  VocAnnotation read(const XmlElement& root) const {
    if (root.name != "annotation") {
      fail(root, fmt::format("<annotation> expected, not <{}>", root.name));
    }
    VocAnnotation annotation;
    const XmlElement& size = only(root, "size");
    annotation.height = side(only(size, "height"));
    annotation.width = side(only(size, "width"));
    for (const XmlElement& child : root.children) {
      if (child.name == "object") annotation.objects.push_back(object(child));
    }
    return annotation;
  }

 private:
  [[noreturn]] void fail(const XmlElement& element, const std::string& problem) const {
    throw FileError(ExitCode::kData, name_, fmt::format("line {}", element.line), problem);
  }

  const XmlElement& only(const XmlElement& parent, std::string_view child) const {
    const XmlElement* found = parent.find(child);
    if (found == nullptr) fail(parent, fmt::format("<{}> has no <{}>", parent.name, child));
    const auto count = std::count_if(parent.children.begin(), parent.children.end(),
                                     [&](const XmlElement& one) { return one.name == child; });
    if (count > 1) fail(*found, fmt::format("<{}> has {} <{}>", parent.name, count, child));
    return *found;
  }

  double number(const XmlElement& element) const {
    const std::string& text = element.text;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
      fail(element, fmt::format("<{}> is \"{}\", not a number", element.name, text.substr(0, 40)));
    }
    return value;
  }

  int64_t side(const XmlElement& element) const {
    constexpr auto kMaxSide = static_cast<double>(kLimits.annotation.side);
    const double value = number(element);
    if (value < 1 || value > kMaxSide || value != std::floor(value)) {
      fail(element, fmt::format("<{}> is {}, not a number of pixels", element.name, value));
    }
    return static_cast<int64_t>(value);
  }

  VocObject object(const XmlElement& element) const {
    VocObject object;
    object.name = only(element, "name").text;
    const XmlElement& box = only(element, "bndbox");
    object.box = {number(only(box, "xmin")), number(only(box, "ymin")), number(only(box, "xmax")),
                  number(only(box, "ymax"))};
    const XmlElement* difficult = element.find("difficult");
    object.difficult = difficult != nullptr && number(*difficult) != 0;
    return object;
  }

  const std::string& name_;
};

}  // namespace

VocAnnotation parse_voc_annotation(std::span<const std::byte> bytes, const std::string& name) {
  return Reader(name).read(parse_xml(bytes, name));
}

VocAnnotation load_voc_annotation(const std::string& path) {
  // Refused before it is read; what cannot be asked is left to read_file.
  std::error_code ignored;
  const uintmax_t num_bytes = std::filesystem::file_size(path, ignored);
  if (!ignored) check_xml_size(static_cast<int64_t>(num_bytes), path);
  return parse_voc_annotation(read_file(path, ExitCode::kData).bytes, path);
}

}  // namespace mrcnn
