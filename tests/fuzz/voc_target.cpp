// PASCAL VOC: XML annotations, and pictures whose palette indices are objects.
#include <set>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
#include "data/voc/annotation.h"
#include "data/voc/instance_masks.h"
#include "data/voc/xml.h"
#include "tests/fuzz/png_checksums.h"
#include "tests/fuzz/target.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

constexpr ImageLimits kSmall = {.max_file_bytes = 1 << 16,
                                .max_pixels = 1 << 15,
                                .max_side = 4096,
                                .max_png_chunk_bytes = 1 << 16};
constexpr XmlLimits kSmallXml = {.max_bytes = 1 << 14, .max_depth = 8, .max_elements = 200};

void check_indices(std::span<const std::byte> bytes) {
  Tensor indices;
  if (!accepts(ExitCode::kData, [&] { indices = decode_png_indices(bytes, "t", kSmall); })) {
    return;
  }
  const int64_t height = indices.size(0), width = indices.size(1);
  require(height * width <= kSmall.max_pixels, "indices are within the limits");
  const std::span<const uint8_t> numbers(indices.data<uint8_t>(),
                                         static_cast<size_t>(height * width));
  std::set<uint8_t> objects(numbers.begin(), numbers.end());
  objects.erase(0);
  objects.erase(255);
  int64_t covered = 0;
  const std::vector<Rle> masks = voc_instance_masks(indices);
  require(masks.size() == objects.size(), "every number but background and void is an object");
  for (const Rle& mask : masks) {
    require(mask.height == height && mask.width == width, "a mask has its picture's size");
    const int64_t area = rle_area(mask);
    require(area > 0, "an object has pixels");
    covered += area;
  }
  require(covered <= height * width, "objects do not overlap");
}

int64_t check_element(const XmlElement& element, int64_t depth) {
  require(depth <= kSmallXml.max_depth, "elements are not nested past the limit");
  require(element.line >= 1, "an element is on a line");
  int64_t count = 1;
  for (const XmlElement& child : element.children) count += check_element(child, depth + 1);
  return count;
}

void check_annotation(std::span<const std::byte> bytes) {
  accepts(ExitCode::kData, [&] {
    const XmlElement root = parse_xml(bytes, "t.xml", kSmallXml);
    require(check_element(root, 1) <= kSmallXml.max_elements, "elements are within the limit");
  });
  accepts(ExitCode::kData, [&] {
    const VocAnnotation annotation = parse_voc_annotation(bytes, "t.xml");
    require(annotation.height >= 1 && annotation.width >= 1, "an annotated picture has a size");
  });
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = mrcnn::fuzz::as_file(data, size).bytes;
  if (size > 0 && data[0] == 0x89) {
    std::vector<std::byte> mended(bytes.begin(), bytes.end());
    mrcnn::fuzz::mend_png_checksums(mended);
    mrcnn::check_indices(mended);
    mrcnn::release_host_cache();
  } else {
    mrcnn::check_annotation(bytes);
  }
  return 0;
}
