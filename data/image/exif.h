// The orientation in an EXIF block, and how to apply it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

// Reads tag 0x0112 (SHORT, 1..8) of IFD0 from a TIFF block ("II*\0..." or "MM\0*..."), the payload
// of JPEG's APP1 after "Exif\0\0" and of PNG's eXIf. A missing tag gives 1 in silence; a damaged
// block or a value that means nothing gives 1 and a line in `warnings`.
// Source: EXIF 2.32, sec. 4.6; TIFF 6.0, sec. 2.
int exif_orientation(std::span<const std::byte> tiff, std::vector<std::string>& warnings);

// Turns a stored picture [H, W, 3] u8 upright: 2 mirrors left-right, 3 rotates by 180 degrees,
// 4 mirrors top-bottom, 5 transposes, 6 rotates by 90 degrees clockwise, 7 transposes along the
// other diagonal, 8 rotates by 90 degrees counter-clockwise. Returns [H, W, 3] or [W, H, 3].
Tensor apply_orientation(const Tensor& pixels, int orientation);

}  // namespace mrcnn
