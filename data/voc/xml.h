// A small XML file as a tree, for annotations. The parsing is expat's; this bounds what a file may
// make it do: no document type (so no entities, the way to make a small file huge), limits on size,
// depth and number of elements. Attributes, comments and processing instructions are skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/limits.h"

namespace mrcnn {

struct XmlElement {
  std::string name;
  std::string text;  // UTF-8, all of it between the children, blanks at both ends cut off
  int64_t line = 0;
  std::vector<XmlElement> children;

  const XmlElement* find(std::string_view child) const;  // the first of that name, or nullptr
};

// `name` stands in messages. Throws FileError with ExitCode::kData that names the line.
XmlElement parse_xml(std::span<const std::byte> bytes, const std::string& name,
                     const XmlLimits& limits = {});
// Throws FileError if the file is empty or past the limit.
void check_xml_size(int64_t num_bytes, const std::string& name, const XmlLimits& limits = {});

}  // namespace mrcnn
