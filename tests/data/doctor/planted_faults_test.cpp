// Faults of many kinds planted into a good set: all are found, in their place, and nothing else.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "data/doctor/cleaned_copy.h"
#include "data/doctor/doctor.h"
#include "tests/data/doctor/planted_set.h"

namespace mrcnn {
namespace {

using test::PlantedElement;
using test::PlantedSet;
using enum FindingKind;

struct Fault {
  FindingKind kind;
  Section section;
  int64_t element;
  std::string where;

  auto key() const { return std::tuple(kind, section, element, where); }
  friend bool operator<(const Fault& a, const Fault& b) { return a.key() < b.key(); }
};

std::string shown(const Fault& fault) {
  return fmt::format("{} {}[{}] {}", facts_of(fault.kind).name, section_name(fault.section),
                     fault.element, fault.where);
}

class Planter {
 public:
  Planter(PlantedSet& set, std::multiset<Fault>& faults) : set_(set), faults_(faults) {}

  // Spoils the next annotation of the good set.
  void annotation(FindingKind kind, const std::string& where,
                  const std::function<void(PlantedElement&)>& spoil) {
    spoil(set_.annotations[static_cast<size_t>(next_)]);
    faults_.insert({kind, Section::kAnnotations, next_++, where});
  }
  void annotation(FindingKind kind, const std::string& where, const std::string& key,
                  const std::string& value) {
    annotation(kind, where, [&](PlantedElement& element) { element.set(key, value); });
  }
  void without(FindingKind kind, const std::string& where, const std::string& key) {
    annotation(kind, where, [&](PlantedElement& element) { element.erase(key); });
  }
  void image(FindingKind kind, const std::string& where, const PlantedElement& element) {
    faults_.insert({kind, Section::kImages, static_cast<int64_t>(set_.images.size()), where});
    set_.images.push_back(element);
  }
  void category(FindingKind kind, const std::string& where, const PlantedElement& element) {
    faults_.insert(
        {kind, Section::kCategories, static_cast<int64_t>(set_.categories.size()), where});
    set_.categories.push_back(element);
  }
  void skip() { ++next_; }
  int64_t next() const { return next_; }

 private:
  PlantedSet& set_;
  std::multiset<Fault>& faults_;
  int64_t next_ = 0;
};

void plant_boxes_and_areas(Planter& plant) {
  plant.annotation(kBoxDegenerate, "bbox", "bbox", "[7, 5, 0, 8]");
  plant.annotation(kBoxDegenerate, "bbox", "bbox", "[14, 10, 10, -8]");
  plant.annotation(kBoxNotFinite, "bbox[0]", "bbox", "[NaN, 15, 10, 8]");
  plant.annotation(kBoxNotFinite, "bbox[2]", "bbox", "[28, 20, Infinity, 8]");
  plant.annotation(kBoxNotFinite, "bbox[3]", "bbox", "[35, 25, 10, 1e300]");
  plant.annotation(kBoxOutside, "bbox", "bbox", "[70, 30, 10, 8]");
  plant.annotation(kBoxPastBorder, "bbox", [](PlantedElement& element) {
    element.set("segmentation", test::rectangle_polygon(54, 20, 10, 8));
    element.set("bbox", "[54, 20, 25, 8]");
  });
  plant.annotation(kBoxMalformed, "bbox", "bbox", "[6, 2, 10]");
  plant.annotation(kBoxMalformed, "bbox", "bbox", "\"[13, 7, 10, 8]\"");
  plant.annotation(kNumberAsString, "bbox[2]", "bbox", "[20, 12, \"10\", 8]");
  plant.annotation(kWrongType, "bbox[1]", "bbox", "[27, null, 10, 8]");
  plant.without(kMissingKey, "", "bbox");
  plant.annotation(kBoxDisagrees, "bbox", "bbox", "[2, 3, 10, 8]");
  plant.annotation(kAreaDisagrees, "area", "area", "300");
  plant.annotation(kAreaNotPositive, "area", "area", "0");
  plant.annotation(kAreaNotPositive, "area", "area", "-Infinity");
  plant.annotation(kNumberAsString, "area", "area", "\"80\"");
  plant.without(kMissingKey, "", "area");
}

void plant_masks(Planter& plant) {
  plant.annotation(kPolygonShort, "segmentation[0]", "segmentation", "[[1, 1, 11, 9]]");
  plant.annotation(kPolygonShort, "segmentation[1]", [](PlantedElement& element) {
    element.set("segmentation", "[[40,4,50,4,50,12,40,12], [5, 5]]");
    element.set("bbox", "[40, 4, 10, 8]");
  });
  plant.annotation(kPolygonOdd, "segmentation[0]", [](PlantedElement& element) {
    element.set("segmentation", "[[40,4,50,4,50,12,40,12,3]]");
    element.set("bbox", "[40, 4, 10, 8]");
  });
  plant.annotation(kPolygonNotFinite, "segmentation[0][2]", "segmentation",
                   "[[40,4,NaN,4,50,12,40,12]]");
  plant.annotation(kPolygonPastBorder, "segmentation[0]", [](PlantedElement& element) {
    element.set("segmentation", test::rectangle_polygon(54, 20, 30, 8));
    element.set("bbox", "[54, 20, 10, 8]");
  });
  plant.annotation(kSegmentationEmpty, "segmentation", "segmentation", "[]");
  plant.without(kSegmentationEmpty, "segmentation", "segmentation");
  plant.annotation(kSegmentationMalformed, "segmentation", [](PlantedElement& element) {
    element.set("segmentation", "[40,4,50,4,50,12,40,12]");
    element.set("bbox", "[40, 4, 10, 8]");
  });
  plant.annotation(kSegmentationMalformed, "segmentation", "segmentation", "\"mask.png\"");
  plant.annotation(kRleSum, "segmentation.counts", "segmentation",
                   R"({"size": [48, 64], "counts": [100, 200, 300]})");
  plant.annotation(kRleSize, "segmentation.size", "segmentation",
                   R"({"size": [64, 48], "counts": [0, 3072]})");
  plant.annotation(kRleMalformed, "segmentation.counts", "segmentation",
                   R"({"size": [48, 64], "counts": "05~2"})");
  plant.annotation(kRleMalformed, "segmentation.counts", "segmentation",
                   R"({"size": [48, 64], "counts": [3000, -5, 77]})");
  plant.annotation(kMaskEmpty, "segmentation", "segmentation",
                   R"({"size": [48, 64], "counts": [3072]})");
}

void plant_ids(Planter& plant, const PlantedSet& set) {
  plant.annotation(kDuplicateAnnotationId, "id", "id", "5");
  plant.annotation(kIdZero, "id", "id", "0");
  plant.annotation(kBadId, "id", "id", "\"abc\"");
  plant.annotation(kBadId, "id", "id", "7.5");
  plant.without(kMissingKey, "", "id");
  plant.annotation(kUnknownImage, "image_id", "image_id", "999");
  plant.annotation(kUnknownCategory, "category_id", "category_id", "17");
  plant.annotation(kNumberAsString, "category_id", "category_id", "\"2\"");
  plant.annotation(kCrowdFlag, "iscrowd", "iscrowd", "2");
  plant.annotation(kNumberAsString, "iscrowd", "iscrowd", "\"0\"");
  plant.annotation(kDuplicateKey, "area",
                   [](PlantedElement& element) { element.add("area", "80"); });
  plant.skip();
  plant.annotation(kDuplicateObject, "", [&](PlantedElement& element) {
    element = set.annotations[static_cast<size_t>(plant.next() - 1)];
    element.set("id", "1000");
  });
  plant.annotation(kWrongType, "", [](PlantedElement& element) { element.raw = "[1, 2]"; });
  plant.annotation(kInvalidJson, "",
                   [](PlantedElement& element) { element.raw = R"({"id": 5 "bbox": 1})"; });
}

// Puts an EXIF block that asks to turn the picture right behind the first marker.
std::string with_orientation(const std::string& jpeg, char orientation) {
  using namespace std::string_literals;
  const std::string exif =
      "\xFF\xE1\x00\x22"s
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s +
      std::string(1, orientation) + "\0\0\0\0\0\0"s;
  return jpeg.substr(0, 2) + exif + jpeg.substr(2);
}

void plant_images(Planter& plant, const test::TemporaryDirectory& folder) {
  const std::string jpeg = test::read_text(folder / "pictures/101.jpg");
  const std::string png = test::read_text(folder / "pictures/102.png");
  folder.write("pictures/html.jpg", "<html>not found</html>");
  folder.write("pictures/cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  folder.write("pictures/cut.png", png.substr(0, png.size() / 2));
  folder.write("pictures/turned.jpg", with_orientation(jpeg, 6));
  folder.write("pictures/text.png", png);
  write_image(folder / "pictures/small.png", test::test_image(20, 30, 1));
  const auto spoiled = [](int64_t id, const std::string& name, const std::string& key,
                          const std::string& value) {
    PlantedElement element = test::good_image(id, name);
    element.set(key, value);
    return element;
  };
  plant.image(kPictureMissing, "file_name", test::good_image(201, "gone.jpg"));
  plant.image(kPictureUndecodable, "file_name", test::good_image(202, "html.jpg"));
  plant.image(kPictureTruncated, "file_name", test::good_image(203, "cut.jpg"));
  plant.image(kPictureTruncated, "file_name", test::good_image(204, "cut.png"));
  plant.image(kPictureSize, "", test::good_image(205, "small.png"));
  plant.image(kPictureRotated, "file_name", test::good_image(206, "turned.jpg"));
  plant.image(kDuplicateImageId, "id", test::good_image(101, "text.png"));
  plant.image(kDuplicateFileName, "file_name", test::good_image(208, "103.jpg"));
  plant.image(kBadFileName, "file_name", test::good_image(209, "../103.jpg"));
  plant.image(kNumberAsString, "width", spoiled(210, "text.png", "width", "\"64\""));
  plant.image(kBadImageSize, "", spoiled(211, "102.png", "height", "0"));
  PlantedElement nameless = test::good_image(212, "");
  nameless.erase("file_name");
  plant.image(kMissingKey, "", nameless);
}

void plant_categories(Planter& plant) {
  PlantedElement nameless = test::good_category(8);
  nameless.erase("name");
  PlantedElement empty = test::good_category(9);
  empty.set("name", "\"\"");
  PlantedElement twin = test::good_category(7);
  twin.set("name", "\"class 1\"");
  plant.category(kDuplicateCategoryId, "id", test::good_category(2));
  plant.category(kDuplicateName, "name", twin);
  plant.category(kMissingKey, "", nameless);
  plant.category(kEmptyName, "name", empty);
}

std::multiset<Fault> faults_of(const DoctorReport& report) {
  std::multiset<Fault> faults;
  for (const Finding& one : report.findings) {
    if (facts_of(one.kind).severity == Severity::kInfo) continue;
    faults.insert({one.kind, one.section, one.element, one.where});
  }
  return faults;
}

void check_same(const std::multiset<Fault>& found, const std::multiset<Fault>& planted) {
  for (const Fault& fault : planted) {
    if (found.count(fault) < planted.count(fault)) FAIL_CHECK("not found: " << shown(fault));
  }
  for (const Fault& fault : found) {
    if (planted.count(fault) < found.count(fault)) FAIL_CHECK("not planted: " << shown(fault));
  }
}

DoctorReport report_of(const test::TemporaryDirectory& folder, const std::string& name) {
  return diagnose(folder / name, {.image_directory = folder / "pictures"}).report;
}

TEST_CASE("A good set gives no finding, and its cleaned copy means the same") {
  const test::TemporaryDirectory folder;
  PlantedSet set = test::good_set(folder);
  folder.write("good.json", set.text());
  const Diagnosis diagnosis =
      diagnose(folder / "good.json", {.image_directory = folder / "pictures"});
  for (const Finding& one : diagnosis.report.findings) {
    FAIL_CHECK(place_of(one) << ": " << one.problem);
  }
  CHECK(diagnosis.report.num_images == 10);
  CHECK(diagnosis.report.num_annotations == 60);
  CHECK(diagnosis.report.num_categories == 3);
  CHECK(diagnosis.report.num_pictures == 10);
  const CleanedCounts counts = write_cleaned(folder / "good.json", diagnosis, folder / "copy.json");
  CHECK(counts.annotations_kept == 60);
  CHECK(counts.annotations_changed == 0);
  const std::string copy = test::read_text(folder / "copy.json");
  for (const PlantedElement& one : set.annotations) {
    CHECK(copy.find(one.text()) != std::string::npos);
  }
  CHECK(copy.find("\"info\":{\"year\": 2017}") != std::string::npos);
  CHECK(copy.find("\"licenses\":[") != std::string::npos);
}

TEST_CASE("Every planted fault is found in its place, and a cleaned copy has none") {
  const test::TemporaryDirectory folder;
  PlantedSet set = test::good_set(folder);
  std::multiset<Fault> planted;
  Planter plant(set, planted);
  plant_boxes_and_areas(plant);
  plant_masks(plant);
  plant_ids(plant, set);
  plant_images(plant, folder);
  plant_categories(plant);
  // Objects of an image that is dropped, and of categories and images that are merged.
  set.annotations[50].set("image_id", "203");
  set.annotations[51].set("image_id", "208");
  set.annotations[52].set("category_id", "7");
  folder.write("bad.json", set.text());

  std::set<FindingKind> kinds;
  for (const Fault& fault : planted) kinds.insert(fault.kind);
  CHECK(planted.size() >= 60);
  CHECK(kinds.size() >= 38);

  const Diagnosis diagnosis =
      diagnose(folder / "bad.json", {.image_directory = folder / "pictures"});
  check_same(faults_of(diagnosis.report), planted);
  for (const Finding& one : diagnosis.report.findings) {
    CAPTURE(place_of(one));
    const auto element = static_cast<size_t>(one.element);
    if (one.section == Section::kAnnotations) {
      CHECK(one.byte == set.annotation_bytes[element]);
    } else if (one.section == Section::kImages) {
      CHECK(one.byte == set.image_bytes[element]);
    } else {
      CHECK(one.byte == set.category_bytes[element]);
    }
  }

  const CleanedCounts counts = write_cleaned(folder / "bad.json", diagnosis, folder / "clean.json");
  const DoctorReport clean = report_of(folder, "clean.json");
  CHECK(clean.count(Severity::kError) == 0);
  std::multiset<FindingKind> left;
  for (const Fault& fault : faults_of(clean)) left.insert(fault.kind);
  // No change of annotations turns a picture or finds a name.
  CHECK(left == std::multiset<FindingKind>{kPictureRotated, kEmptyName});
  CHECK(counts.annotations_kept == clean.num_annotations);
  CHECK(counts.images_kept == clean.num_images);
  CHECK(counts.annotations_kept + counts.annotations_dropped == 60);
  CHECK(counts.dropped_with_others == 2);
  const std::string text = test::read_text(folder / "clean.json");
  CHECK(text.find("\"id\":52,\"image_id\":103,") != std::string::npos);
  CHECK(text.find("\"id\":53,\"image_id\":104,\"category_id\":1,") != std::string::npos);
  CHECK(text.find("\"note\":\"kept \\\"as\\\" it is\"") != std::string::npos);
}

TEST_CASE("Every kind is documented") {
  const std::string docs = test::read_text(std::string(MRCNN_SOURCE_DIR) + "/docs/datasets.md");
  for (size_t k = 0; k < kNumFindingKinds; ++k) {
    const FindingFacts& facts = facts_of(static_cast<FindingKind>(k));
    const char* const severity = facts.severity == Severity::kError     ? "error"
                                 : facts.severity == Severity::kWarning ? "warning"
                                                                        : "note";
    const std::string row = fmt::format("| `{}` | {} | {} |", facts.name, severity, facts.meaning);
    if (docs.find(row) == std::string::npos) FAIL_CHECK("docs/datasets.md lacks: " << row);
  }
}

}  // namespace
}  // namespace mrcnn
