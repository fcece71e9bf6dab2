// The pictures behind the images of a file.
#pragma once

#include <string>
#include <vector>

#include "data/doctor/catalog.h"
#include "data/doctor/finding.h"

namespace mrcnn {

// Opens and decodes every picture whose file name can be used, on all threads, and marks the images
// that a cleaned copy leaves out. Returns how many were looked at.
int64_t check_pictures(Catalog& catalog, const std::string& directory,
                       std::vector<Finding>& findings);

}  // namespace mrcnn
