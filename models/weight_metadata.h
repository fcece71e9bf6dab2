// The facts that must travel with weights: without them results are wrong, and no error says so.
// Keys and values of the text metadata of our weight files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "models/checkpoint_names.h"

namespace mrcnn {

namespace metadata_key {
inline constexpr std::string_view kFormatVersion = "format_version";  // "1"
inline constexpr std::string_view kModel = "model";                   // "maskrcnn_resnet50_fpn"
inline constexpr std::string_view kNumClasses = "num_classes";        // background included
inline constexpr std::string_view kBnEps = "bn_eps";                  // of the body's norm layers
inline constexpr std::string_view kPixelOrder = "pixel_order";        // "RGB" or "BGR"
inline constexpr std::string_view kPixelScale = "pixel_scale";  // bytes are divided by it first
inline constexpr std::string_view kPixelMean = "pixel_mean";    // three numbers, in pixel_order
inline constexpr std::string_view kPixelStd = "pixel_std";
inline constexpr std::string_view kClassNames = "class_names";        // JSON list by class index
inline constexpr std::string_view kStrideIn1x1 = "stride_in_1x1";     // "true": as in detectron2
inline constexpr std::string_view kRoiAligned = "roi_align_aligned";  // "true": half a pixel
inline constexpr std::string_view kRoiSamples = "roi_align_sampling_ratio";  // "0": adaptive
inline constexpr std::string_view kAnchorsRounded = "anchors_rounded";
inline constexpr std::string_view kMinSize = "min_size";  // images are resized to it, pixels
inline constexpr std::string_view kMaxSize = "max_size";
inline constexpr std::string_view kSourceNames = "source_names";    // the vocabulary
inline constexpr std::string_view kSourceSha256 = "source_sha256";  // of the converted file
}  // namespace metadata_key

// What is known of weights named in `vocabulary` and used as `model`. The published torchvision v1
// file was trained with BN eps 0, which torchvision restores on loading; a file does not tell, so
// its kin get "0" too. Source: torchvision 0.14 models/detection/faster_rcnn.py; detectron2 0.6
// configs/Base-RCNN-FPN.yaml and config/defaults.py.
std::map<std::string, std::string> weight_metadata(Vocabulary vocabulary, std::string_view model,
                                                   int64_t num_classes);

}  // namespace mrcnn
