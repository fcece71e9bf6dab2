#include "data/evaluation/confusion.h"

#include <doctest/doctest.h>

#include <vector>

namespace mrcnn {
namespace {

EvaluatedTruth object(int64_t category, double x, bool crowd = false) {
  return {.category = category, .box = {x, 0, 10, 10}, .area = 100, .crowd = crowd, .mask = {}};
}
EvaluatedDetection detection(int64_t category, double x, double score) {
  return {.category = category, .score = score, .box = {x, 0, 10, 10}, .mask = {}};
}

TEST_CASE("What is taken for what, what is missed and what is not there") {
  ConfusionMatrix matrix({7, 3}, IouKind::kBox);
  const size_t three = 0, seven = 1, nothing = 2;
  CHECK(matrix.categories() == std::vector<int64_t>{3, 7});
  matrix.add(std::vector{object(3, 0), object(3, 20), object(7, 40), object(7, 60, true)},
             std::vector{detection(3, 0, 0.9), detection(7, 21, 0.8), detection(3, 22, 0.95),
                         detection(7, 80, 0.6), detection(7, 61, 0.7), detection(3, 40, 0.4),
                         detection(5, 40, 1)});
  CHECK(matrix.count(three, three) == 1);
  CHECK(matrix.count(three, seven) == 1);  // covered better than by the detection of its own class
  CHECK(matrix.count(nothing, three) == 1);
  CHECK(matrix.count(seven, nothing) == 1);  // the score is too low, the other class unknown
  CHECK(matrix.count(nothing, seven) == 1);  // in the crowd it does not count
  CHECK(matrix.count(seven, seven) == 0);
  matrix.add(std::vector{object(7, 0)}, {});
  CHECK(matrix.count(seven, nothing) == 2);
}

}  // namespace
}  // namespace mrcnn
