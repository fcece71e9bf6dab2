#include "models/mask_rcnn/config_metadata.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "models/weight_metadata.h"
#include "models/zoo.h"

using namespace mrcnn;

TEST_CASE("Without metadata a model keeps its defaults") {
  MaskRcnnConfig config = model_config("maskrcnn_resnet50_fpn");
  apply_metadata({}, config);
  CHECK(config.backbone.norm_eps == 0.0);
  CHECK_FALSE(config.roi.aligned);
  CHECK(config.input.normalization.pixel_order == PixelOrder::kRgb);
}

TEST_CASE("What detectron2's weights need reaches the configuration") {
  MaskRcnnConfig config = model_config("maskrcnn_resnet50_fpn");
  apply_metadata(weight_metadata(Vocabulary::kDetectron2, "maskrcnn_resnet50_fpn", 91), config);
  CHECK(config.backbone.norm_eps == 1e-5);
  CHECK(config.backbone.stride_in_1x1);
  CHECK(config.roi.aligned);
  CHECK(config.roi.sampling_ratio == 0);
  const ResizeNormalizePadParams& pixels = config.input.normalization;
  CHECK(pixels.pixel_order == PixelOrder::kBgr);
  CHECK(pixels.divisor == 1.0F);
  CHECK(pixels.mean[0] == doctest::Approx(103.53));
  CHECK(pixels.std[2] == doctest::Approx(1.0));
}

TEST_CASE("A value that cannot be read is refused with its key") {
  MaskRcnnConfig config = model_config("maskrcnn_resnet50_fpn");
  for (const auto& [key, value] :
       {std::pair{"bn_eps", "small"}, std::pair{"bn_eps", "-1"}, std::pair{"pixel_order", "GBR"},
        std::pair{"pixel_mean", "1, 2"}, std::pair{"pixel_std", "1, 0, 1"},
        std::pair{"pixel_scale", "0"}, std::pair{"stride_in_1x1", "yes"},
        std::pair{"roi_align_sampling_ratio", "-3"}}) {
    CAPTURE(key);
    CHECK_THROWS_WITH_AS(apply_metadata({{key, value}}, config), doctest::Contains(key), Error);
  }
}
