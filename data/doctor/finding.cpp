#include "data/doctor/finding.h"

#include <fmt/format.h>

#include <array>

namespace mrcnn {
namespace {

using enum FindingKind;
using enum Severity;

constexpr std::array<FindingFacts, kNumFindingKinds> kFacts = {{
    {kInvalidJson, kError, "invalid_json", "the text is not JSON there"},
    {kMissingSection, kError, "missing_section", "images, annotations or categories are missing"},
    {kWrongType, kError, "wrong_type", "a value is of another type than its key needs"},
    {kNumberAsString, kError, "number_as_string", "a string stands where a number belongs"},
    {kMissingKey, kError, "missing_key", "a key that every reader needs is missing"},
    {kDuplicateKey, kError, "duplicate_key", "a key appears twice in one element"},
    {kBadId, kError, "bad_id", "an id is not a 64-bit integer"},
    {kIdZero, kWarning, "id_zero",
     "an id is 0, which COCO's evaluation takes for no match and many tools for background"},
    {kDuplicateCategoryId, kError, "duplicate_category_id", "two categories share an id"},
    {kDuplicateImageId, kError, "duplicate_image_id", "two images share an id"},
    {kDuplicateAnnotationId, kError, "duplicate_annotation_id", "two annotations share an id"},
    {kUnknownImage, kError, "unknown_image", "image_id is the id of no image"},
    {kUnknownCategory, kError, "unknown_category", "category_id is the id of no category"},
    {kEmptyName, kWarning, "empty_name", "a category's name is empty"},
    {kDuplicateName, kWarning, "duplicate_category_name", "two categories share a name"},
    {kUnusedCategory, kInfo, "unused_category", "a category has no annotation"},
    {kBadFileName, kError, "bad_file_name", "file_name is no path below the image folder"},
    {kDuplicateFileName, kWarning, "duplicate_file_name", "two images share a file"},
    {kBadImageSize, kError, "bad_image_size", "height or width is impossible"},
    {kImageWithoutAnnotations, kInfo, "image_without_annotations", "an image has no annotation"},
    {kBoxMalformed, kError, "box_malformed", "bbox is not a list of four numbers"},
    {kBoxNotFinite, kError, "box_not_finite", "bbox holds NaN, infinity or an absurd number"},
    {kBoxDegenerate, kError, "box_degenerate", "a box has no width or no height"},
    {kBoxOutside, kError, "box_outside", "a box lies outside its image"},
    {kBoxPastBorder, kWarning, "box_past_border", "a box sticks out of its image"},
    {kBoxDisagrees, kWarning, "box_disagrees", "a box is not that of its mask"},
    {kAreaNotPositive, kError, "area_not_positive", "area is 0, negative or no number"},
    {kAreaDisagrees, kWarning, "area_disagrees", "area is not that of its mask"},
    {kCrowdFlag, kError, "crowd_flag", "iscrowd is neither 0 nor 1"},
    {kDuplicateObject, kWarning, "duplicate_object",
     "two annotations of one image have the same category, box and mask"},
    {kNoMasks, kInfo, "no_masks", "no annotation has a mask: a set of boxes"},
    {kSegmentationEmpty, kWarning, "segmentation_empty", "an annotation has no mask"},
    {kSegmentationMalformed, kError, "segmentation_malformed",
     "segmentation is neither polygons nor run lengths"},
    {kPolygonShort, kError, "polygon_short", "a polygon has fewer than three corners"},
    {kPolygonOdd, kError, "polygon_odd", "a polygon has an odd count of numbers"},
    {kPolygonNotFinite, kError, "polygon_not_finite",
     "a polygon holds NaN, infinity or an absurd number"},
    {kPolygonPastBorder, kWarning, "polygon_past_border", "a polygon sticks out of its image"},
    {kRleMalformed, kError, "rle_malformed", "run lengths cannot be read"},
    {kRleSize, kError, "rle_size", "run lengths are of another size than the image"},
    {kRleSum, kError, "rle_sum", "run lengths do not add up to height times width"},
    {kMaskEmpty, kError, "mask_empty", "a mask covers no pixel"},
    {kPictureMissing, kError, "picture_missing", "there is no such picture"},
    {kPictureUndecodable, kError, "picture_undecodable", "a picture cannot be decoded"},
    {kPictureTruncated, kError, "picture_truncated", "a picture's file ends early"},
    {kPictureSize, kError, "picture_size", "a picture is of another size than stated"},
    {kPictureRotated, kWarning, "picture_rotated",
     "EXIF asks viewers to turn or mirror a picture; training does not"},
}};

constexpr bool is_in_order() {
  for (size_t i = 0; i < kFacts.size(); ++i) {
    if (static_cast<size_t>(kFacts[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

constexpr std::array<std::string_view, kNumRemedies> kRemedies = {
    "left as it is",
    "dropped",
    "box taken from the mask",
    "box clipped",
    "area taken from the mask",
    "area taken from the box",
    "given a new id",
    "written as a number",
    "iscrowd set to 0 or 1",
    "polygon dropped",
    "last number of the polygon dropped",
    "polygon clipped",
    "put into a list of polygons",
    "the last value kept",
    "merged with the first",
};

}  // namespace

const FindingFacts& facts_of(FindingKind kind) { return kFacts[static_cast<size_t>(kind)]; }

std::string_view severity_name(Severity severity) {
  if (severity == kError) return "error";
  return severity == kWarning ? "warning" : "note";
}

std::string_view remedy_text(Remedy remedy) { return kRemedies[static_cast<size_t>(remedy)]; }

std::string_view section_name(Section section) {
  switch (section) {
    case Section::kFile:
      return "";
    case Section::kImages:
      return "images";
    case Section::kAnnotations:
      return "annotations";
    case Section::kCategories:
      return "categories";
  }
  return "";
}

Finding finding_at(Section section, int64_t element, int64_t byte, FindingKind kind,
                   const std::string& problem, Remedy remedy) {
  Finding finding;
  finding.kind = kind;
  finding.section = section;
  finding.remedy = remedy;
  finding.element = element;
  finding.byte = byte;
  finding.problem = problem;
  return finding;
}

std::string place_of(const Finding& finding) {
  std::string place(section_name(finding.section));
  if (finding.element >= 0) place += fmt::format("[{}]", finding.element);
  if (!finding.id.empty()) place += fmt::format(" (id {})", finding.id);
  if (!finding.where.empty()) place += (place.empty() ? "" : ": ") + finding.where;
  return place;
}

}  // namespace mrcnn
