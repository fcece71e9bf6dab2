// Text and bytes made fit for HTML and SVG.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mrcnn {

// Any text (class names, file names) as character data or as the value of a quoted attribute: valid
// UTF-8 without control characters, every character that markup gives a meaning replaced.
std::string escaped(std::string_view text);

// The first `count` characters of a text and an ellipsis, or all of it.
std::string shortened(std::string_view text, int count);

std::string base64(std::span<const std::byte> bytes);

// "data:image/jpeg;base64,...": a file inside a page.
std::string data_uri(std::string_view media_type, std::span<const std::byte> bytes);

}  // namespace mrcnn
