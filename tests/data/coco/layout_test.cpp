#include "data/coco/layout.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

TEST_CASE("FindsTheFilesWhereCocoIsUnpackedIn") {
  const test::TemporaryDirectory dir;
  const std::string annotations = dir.write("annotations/instances_val2017.json");
  dir.write("val2017/000000000139.jpg");
  const CocoLayout layout = find_coco_layout(dir.path(), "val2017");
  CHECK(layout.annotations == annotations);
  CHECK(layout.images == dir / "val2017");
}

TEST_CASE("FindsTheFilesOfZipsUnpackedInFoldersOfTheirOwn") {
  const test::TemporaryDirectory dir;
  const std::string annotations = dir.write("annotations/annotations/instances_train2017.json");
  dir.write("train2017/train2017/000000000009.jpg");
  const CocoLayout layout = find_coco_layout(dir.path(), "train2017");
  CHECK(layout.annotations == annotations);
  CHECK(layout.images == dir / "train2017/train2017");
}

TEST_CASE("FindsAnnotationsBesideTheImages") {
  const test::TemporaryDirectory dir;
  const std::string annotations = dir.write("instances_val.json");
  dir.write("val/a.png");
  CHECK(find_coco_layout(dir.path(), "val").annotations == annotations);
  CHECK(find_coco_layout(dir.path(), "val").images == dir / "val");
}

TEST_CASE("RejectsOtherFoldersAndSaysWhatWasLookedFor") {
  const test::TemporaryDirectory dir;
  const auto check = [&dir](const std::string& split, const std::string& message) {
    CHECK_THROWS_WITH_AS(find_coco_layout(dir.path(), split), doctest::Contains(message.c_str()),
                         FileError);
  };
  check("val2017", "has no annotations for the split val2017");
  check("val2017", dir / "annotations/instances_val2017.json");
  check("val2017", dir / "annotations/annotations/instances_val2017.json");
  check("val2017", "unpack the annotations there");
  dir.write("annotations/instances_train2017.json");
  dir.write("annotations/instances_minitrain.json");
  dir.write("annotations/captions_val2017.json");
  check("val2017", "annotations are there for: minitrain, train2017");
  check("train2017", "has no images for the split train2017");
  check("train2017", dir / "train2017/train2017/");
  check("train2017", "unpack train2017.zip in " + dir.path());
  dir.write("train2017", "a file");
  check("train2017", "has no images");
  CHECK_THROWS_WITH_AS(find_coco_layout(dir / "missing", "val"), doctest::Contains("is no folder"),
                       FileError);
  try {
    find_coco_layout(dir.path(), "val2017");
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kData);
  }
}

}  // namespace
}  // namespace mrcnn
