#include "tools/infer/class_filter.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;

namespace {

const std::vector<std::string> kNames = {"__background__", "person", "Traffic Light", "dog", "3d"};

std::vector<int64_t> kept(const std::string& list) {
  const ClassFilter filter(list, kNames);
  std::vector<int64_t> labels;
  for (int64_t label = 0; label < 6; ++label) {
    if (filter.keeps(label)) labels.push_back(label);
  }
  return labels;
}

using Labels = std::vector<int64_t>;

}  // namespace

TEST_CASE("RejectsUnknownClasses") {
  CHECK_THROWS_WITH_AS(kept("dog,persn"),
                       "--classes: this model has no class 'persn'; did you mean 'person'?",
                       UsageError);
  CHECK_THROWS_WITH_AS(kept("zebra"), "--classes: this model has no class 'zebra'", UsageError);
  CHECK_THROWS_WITH_AS(kept("5"), "--classes: there is no class 5; this model's ids are 1 to 4",
                       UsageError);
  CHECK_THROWS_AS(kept("0"), UsageError);
  CHECK_THROWS_AS(kept("99999999999999999999"), UsageError);
  CHECK_THROWS_AS(kept("__background__"), UsageError);
  CHECK_THROWS_WITH_AS(kept("dog,"), doctest::Contains("a class is missing"), UsageError);
  CHECK_THROWS_AS(kept(",dog"), UsageError);
  CHECK_THROWS_AS(kept(" "), UsageError);
}

TEST_CASE("TakesNamesAndIds") {
  CHECK(kept("dog") == Labels{3});
  CHECK(kept("PERSON, traffic light") == Labels{1, 2});
  CHECK(kept("3,1,3") == Labels{1, 3});
  CHECK(kept("3d") == Labels{4});
}

TEST_CASE("KeepsEverythingUnlessAsked") {
  const ClassFilter filter;
  CHECK(filter.keeps(1));
  CHECK(filter.keeps(1000));
  const Instances instances = test::fake_instances(20, 30, {1, 2});
  CHECK(filter.apply(instances).boxes.raw() == instances.boxes.raw());
  CHECK(filter.apply(Instances()).size() == 0);
}

TEST_CASE("SelectsTheInstancesOfItsClasses") {
  const Instances all = test::fake_instances(20, 30, {3, 1, 2, 3});
  const Instances dogs = ClassFilter("dog", kNames).apply(all);
  REQUIRE(dogs.size() == 2);
  CHECK(dogs.height == 20);
  CHECK(dogs.width == 30);
  CHECK(dogs.labels.data<int64_t>()[0] == 3);
  CHECK(dogs.labels.data<int64_t>()[1] == 3);
  CHECK(dogs.scores.data<float>()[0] == 0.9F);
  CHECK(dogs.scores.data<float>()[1] == 0.6F);
  CHECK(dogs.boxes.data<float>()[4] == 3.0F);
  CHECK(dogs.boxes.data<float>()[7] == 11.5F);
  CHECK(dogs.mask_probs.shape() == Shape{2, 2, 2});
  CHECK(dogs.mask_probs.data<float>()[4] == 12.0F);
  CHECK(ClassFilter("4", kNames).apply(all).size() == 0);
}
