#include "core/error.h"

namespace mrcnn {

FileError::FileError(ExitCode exit_code, const std::string& path, const std::string& place,
                     const std::string& problem)
    : Error(exit_code, path + ": " + (place.empty() ? "" : place + ": ") + problem), path_(path) {}

}  // namespace mrcnn
