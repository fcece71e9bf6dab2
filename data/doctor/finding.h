// What can be wrong with a data set of COCO annotations, and what a cleaned copy does about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mrcnn {

enum class Severity : uint8_t {
  kError,    // training or evaluation stops at it, skips it or is wrong because of it
  kWarning,  // usable, and probably not what was meant
  kInfo,     // worth knowing; "note" in reports
};

enum class FindingKind : uint8_t {
  // The text
  kInvalidJson,
  kMissingSection,
  kWrongType,
  kNumberAsString,
  kMissingKey,
  kDuplicateKey,
  // Ids and references
  kBadId,
  kIdZero,
  kDuplicateCategoryId,
  kDuplicateImageId,
  kDuplicateAnnotationId,
  kUnknownImage,
  kUnknownCategory,
  // Categories and images
  kEmptyName,
  kDuplicateName,
  kUnusedCategory,
  kBadFileName,
  kDuplicateFileName,
  kBadImageSize,
  kImageWithoutAnnotations,
  // Boxes and areas
  kBoxMalformed,
  kBoxNotFinite,
  kBoxDegenerate,
  kBoxOutside,
  kBoxPastBorder,
  kBoxDisagrees,
  kAreaNotPositive,
  kAreaDisagrees,
  kCrowdFlag,
  kDuplicateObject,
  // Masks
  kNoMasks,
  kSegmentationEmpty,
  kSegmentationMalformed,
  kPolygonShort,
  kPolygonOdd,
  kPolygonNotFinite,
  kPolygonPastBorder,
  kRleMalformed,
  kRleSize,
  kRleSum,
  kMaskEmpty,
  // Pictures
  kPictureMissing,
  kPictureUndecodable,
  kPictureTruncated,
  kPictureSize,
  kPictureRotated,
};
inline constexpr size_t kNumFindingKinds = static_cast<size_t>(FindingKind::kPictureRotated) + 1;

struct FindingFacts {
  FindingKind kind;
  Severity severity;
  std::string_view name;  // "box_degenerate"
  std::string_view meaning;
};
const FindingFacts& facts_of(FindingKind kind);
std::string_view severity_name(Severity severity);  // "error"

// What a cleaned copy does with the element.
enum class Remedy : uint8_t {
  kLeft,
  kDropped,
  kBoxFromMask,
  kBoxClipped,
  kAreaFromMask,
  kAreaFromBox,
  kRenumbered,
  kWrittenAsNumber,
  kCrowdSet,
  kPolygonDropped,
  kPolygonTrimmed,
  kPolygonClipped,
  kPolygonWrapped,
  kLastKept,
  kMerged,
};
inline constexpr size_t kNumRemedies = static_cast<size_t>(Remedy::kMerged) + 1;
std::string_view remedy_text(Remedy remedy);  // "box taken from the mask"

enum class Section : uint8_t { kFile, kImages, kAnnotations, kCategories };
std::string_view section_name(Section section);  // "annotations"; "" for the file

struct Finding {
  FindingKind kind = FindingKind::kInvalidJson;
  Section section = Section::kFile;
  Remedy remedy = Remedy::kLeft;
  int64_t element = -1;   // index in the section; -1 if it is not about one element
  int64_t byte = -1;      // of the annotation file, where the element begins; -1 if unknown
  std::string id;         // the element's, as the file spells it; "" if it has none
  std::string image_id;   // of an annotation, as the file spells it
  std::string where;      // below the element: "bbox[2]"; "" for the element itself
  std::string file_name;  // of the picture that a finding is about
  std::string problem;
};

// A finding about an element, or with element -1 about a section or the file, that has no more to
// say.
Finding finding_at(Section section, int64_t element, int64_t byte, FindingKind kind,
                   const std::string& problem, Remedy remedy);

// "annotations[5] (id 7): bbox[2]"
std::string place_of(const Finding& finding);

}  // namespace mrcnn
