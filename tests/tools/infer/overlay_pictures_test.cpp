#include "tools/infer/overlay_pictures.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/image/image.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;
using test::TemporaryDirectory;

namespace {

Image drawn(const Instances& instances, const std::vector<Rle>& masks) {
  const TemporaryDirectory folder;
  const Tensor gray = Tensor::empty({60, 80, 3}, DType::kU8);
  std::ranges::fill(gray.span<uint8_t>(), uint8_t{100});
  OverlayPictures(folder / "drawn", {"background", "dog"})
      .consume(
          {.picture_name = "sub/photo", .image = gray, .instances = instances, .masks = masks});
  CHECK(gray.data<uint8_t>()[0] == 100);  // the photo itself stays as it is
  return load_image(folder / "drawn/sub/photo.png");
}

int64_t changed_pixels(const Image& image) {
  return std::ranges::count_if(image.pixels.span<uint8_t>(),
                               [](uint8_t value) { return value != 100; });
}

}  // namespace

TEST_CASE("AnImageWithoutObjectsIsCopied") {
  const Image image = drawn(Instances(), {});
  CHECK(image.pixels.shape() == Shape{60, 80, 3});
  CHECK(changed_pixels(image) == 0);
}

TEST_CASE("ObjectsAreDrawnOverACopy") {
  // The third column of the picture is the mask; a class without a name is drawn too.
  const Rle mask{.height = 60, .width = 80, .counts = {120, 60, 4620}};
  const Image image = drawn(test::fake_instances(60, 80, {1, 7}), {mask, mask});
  CHECK(changed_pixels(image) > 60);
}
