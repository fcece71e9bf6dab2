#include "tools/trainer/gpu_info.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

const CudaProperties kLarge{
    .name = "Large", .major = 9, .minor = 0, .memory_bytes = 84'987'000'000, .sm_count = 132};
const CudaProperties kSmall{
    .name = "Small", .major = 8, .minor = 6, .memory_bytes = int64_t{12} << 30, .sm_count = 28};

struct Folder {
  test::TemporaryDirectory scratch;
  std::string path = scratch / "gpu_info.json";
  std::string text() const { return test::read_text(path); }
};

TEST_CASE("Speeds are kept by GPU, number of GPUs and epoch, keys sorted") {
  const Folder folder;
  CHECK(record_gpu_speed(folder.path, {kSmall}, {.train = 10.126, .evaluate = 20.5}).empty());
  CHECK(folder.text() ==
        R"({"Small":{"performance":{"1":{"maskrcnn":[[10.13,20.5]]}},)"
        R"("properties":{"capability":[8,6],"name":"Small","sm_count":28,"total_momory":12}}})"
        "\n");
  record_gpu_speed(folder.path, {kLarge, kLarge}, {.train = 33, .evaluate = 44});
  record_gpu_speed(folder.path, {kSmall}, {.train = 9.999, .evaluate = 21});
  CHECK(folder.text() ==
        R"({"Large":{"performance":{"2":{"maskrcnn":[[33,44]]}},)"
        R"("properties":{"capability":[9,0],"name":"Large","sm_count":132,"total_momory":79.15}},)"
        R"("Small":{"performance":{"1":{"maskrcnn":[[10.13,20.5],[10,21]]}},)"
        R"("properties":{"capability":[8,6],"name":"Small","sm_count":28,"total_momory":12}}})"
        "\n");
}

TEST_CASE("A record that the original system wrote goes on, other models in it stay") {
  const Folder folder;
  folder.scratch.write("gpu_info.json", R"({
  "Small": {
    "performance": {"1": {"maskrcnn": [[8.5, 9.25]], "retinanet": [[1, 2]]}, "2": {}},
    "properties": {"name": "Small", "capability": [8, 6], "total_momory": 11.91, "sm_count": 28}
  }
})");
  CHECK(record_gpu_speed(folder.path, {kSmall}, {.train = 3, .evaluate = 4}).empty());
  const std::string text = folder.text();
  CHECK(text.find(R"({"1":{"maskrcnn":[[8.5,9.25],[3,4]],"retinanet":[[1,2]]})") !=
        text.npos);
  CHECK(text.find("11.91") == text.npos);
}

TEST_CASE("Without a GPU, or with several kinds, nothing is written") {
  const Folder folder;
  CHECK(record_gpu_speed(folder.path, {}, {.train = 1, .evaluate = 1}).empty());
  CHECK(record_gpu_speed(folder.path, {kSmall, kLarge}, {.train = 1, .evaluate = 1}).empty());
  CHECK_FALSE(std::filesystem::exists(folder.path));
}

TEST_CASE("A file of another kind is left alone and named") {
  for (const std::string other : {"", "no JSON", "[1, 2]", R"({"Small": {"performance": 3}})"}) {
    CAPTURE(other);
    const Folder folder;
    folder.scratch.write("gpu_info.json", other);
    const std::string note = record_gpu_speed(folder.path, {kSmall}, {.train = 1, .evaluate = 1});
    CHECK(note.starts_with(folder.path + " is no record"));
    CHECK(folder.text() == other);
  }
}

}  // namespace
}  // namespace mrcnn
