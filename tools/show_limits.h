// The limits of the readers as a text, for --show-limits.
#pragma once

#include <string>

namespace mrcnn {

// One line each: name, value, what it bounds.
std::string limits_text();

}  // namespace mrcnn
