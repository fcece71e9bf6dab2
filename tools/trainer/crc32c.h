// CRC-32C (Castagnoli), as TensorBoard's event files frame their records with it.
#pragma once

#include <cstdint>
#include <string_view>

namespace mrcnn {

uint32_t crc32c(std::string_view bytes);
// Rotated and offset, so that a checksum of data that holds checksums stays meaningful.
// Source: TensorFlow core/lib/hash/crc32c.h, Mask.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace mrcnn
