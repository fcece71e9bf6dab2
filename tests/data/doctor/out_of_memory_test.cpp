#include <doctest/doctest.h>

#include "core/parallel.h"
#include "data/doctor/doctor.h"
#include "tests/support/failing_memory.h"

namespace mrcnn {
namespace {

TEST_CASE("Memory that runs out ends a check with an error that says so, and nothing leaks") {
  set_num_threads(1);
  test::check_each_allocation(
      "doctor", [] { diagnose(MRCNN_TEST_DATA "/golden/coco/instances_cut.json"); }, 11);
}

}  // namespace
}  // namespace mrcnn
