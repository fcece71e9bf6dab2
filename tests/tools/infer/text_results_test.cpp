#include "tools/infer/text_results.h"

#include <doctest/doctest.h>

#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;

namespace {

const std::vector<std::string> kNames = {"background", "dog", ""};

std::string describe(const std::vector<int64_t>& labels, const std::string& path = "a.jpg") {
  return describe_result({.path = path, .instances = test::fake_instances(9, 9, labels)}, kNames);
}

}  // namespace

TEST_CASE("ClassesWithoutANameHaveTheirNumber") {
  CHECK(class_text(1, kNames) == "dog");
  CHECK(class_text(2, kNames) == "class 2");
  CHECK(class_text(3, kNames) == "class 3");
  CHECK(class_text(-1, kNames) == "class -1");
}

TEST_CASE("DescribesTheObjectsOfAnImage") {
  CHECK(describe({}) == "a.jpg: 0 objects");
  CHECK(describe({1}) == "a.jpg: 1 object: dog 0.90");
  CHECK(describe({1, 2}) == "a.jpg: 2 objects: dog 0.90, class 2 0.80");
  CHECK(describe({1}, "two\nlines") == "two?lines: 1 object: dog 0.90");
}

TEST_CASE("ListsAtMostEight") {
  const std::string text = describe(std::vector<int64_t>(9, 1));
  CHECK(text.ends_with("dog 0.20 and 1 more"));
}
