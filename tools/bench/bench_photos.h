// The photos that `bench loader` reads.
#pragma once

#include <cstdint>
#include <memory>

#include "data/dataset.h"

namespace mrcnn {

// Pictures of the shapes set as JPEGs, in a temporary folder that goes away with the set. Their
// noise makes a file about as large as a photo of COCO: 4 to 5 bits a pixel, chroma at full
// resolution. The same for the same arguments. Throws FileError when they cannot be written.
std::unique_ptr<Dataset> generated_photos(int64_t count, int64_t height, int64_t width);

// The images of a set that are height x width or width x height, with their objects. Throws an
// Error with ExitCode::kData if there are none.
std::unique_ptr<Dataset> photos_of_size(std::unique_ptr<Dataset> dataset, int64_t height,
                                        int64_t width);

}  // namespace mrcnn
