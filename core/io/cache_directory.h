// Where programs keep what they can make again: plans of convolutions, parsed annotations.
#pragma once

#include <string>

namespace mrcnn {

// $MRCNN_CACHE_DIR, else $XDG_CACHE_HOME/maskrcnn, else ~/.cache/maskrcnn; "" if the environment
// names no place. It need not exist or be writable.
std::string default_cache_directory();

}  // namespace mrcnn
