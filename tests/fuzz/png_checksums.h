// Right checksums for mutated PNG files: without them no mutation gets further than the first one.
#pragma once

#include <cstddef>
#include <vector>

namespace mrcnn::fuzz {

// Gives every chunk up to IEND the checksum of its content. Returns whether any was wrong; false
// for what is no PNG.
bool mend_png_checksums(std::vector<std::byte>& file);

}  // namespace mrcnn::fuzz
