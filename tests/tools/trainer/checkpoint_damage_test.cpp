// Bits that rot: every damaged checkpoint is noticed before it is used, and the one before it is.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/random.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/trainer/checkpoint_maker.h"
#include "tools/trainer/checkpoint_directory.h"

namespace mrcnn::test {
namespace {

constexpr size_t kBlock = 4096;

// Checkpoints of steps 10 and 20, large enough for some blocks of a disk.
struct Pair {
  TemporaryDirectory folder;
  std::string path;   // of the newer one
  std::string bytes;  // of it, undamaged

  Pair() {
    CheckpointDirectory directory(folder.path());
    for (const int64_t step : {10, 20}) {
      std::vector<StateTensor> state = small_state(step);
      state.push_back(state_tensor("backbone.large", numbers(9000, static_cast<float>(step))));
      directory.save(small_facts(step), state, 2);
    }
    path = directory.path_of(20);
    bytes = read_text(path);
  }

  // Whether resuming from `content` in the place of the newer one takes the older one and says so.
  bool is_noticed(const std::string& content) const {
    std::ofstream(path, std::ios::binary) << content;
    const ResumeSearch search = CheckpointDirectory(folder.path()).find_newest();
    return search.found && search.found->facts.step == 10 && search.damaged.size() == 1 &&
           search.damaged.front().path == path && !search.damaged.front().problem.empty();
  }
};

TEST_CASE("1,000 flipped bits are noticed") {
  const Pair pair;
  const RandomStream random{.seed = 1};
  for (uint64_t i = 0; i < 1000; ++i) {
    // One half in the length and the header, where a bit means the most.
    const size_t range = i % 2 == 0 ? pair.bytes.size() : pair.bytes.size() - 9000 * sizeof(float);
    const size_t bit = random.word(i) % (range * 8);
    std::string content = pair.bytes;
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
    INFO("bit ", bit);
    CHECK(pair.is_noticed(content));
  }
}

TEST_CASE("200 truncations are noticed") {
  const Pair pair;
  const RandomStream random{.seed = 2};
  for (uint64_t i = 0; i < 200; ++i) {
    const size_t size = i < 20 ? i : random.word(i) % pair.bytes.size();
    INFO("size ", size);
    CHECK(pair.is_noticed(pair.bytes.substr(0, size)));
  }
  CHECK(pair.is_noticed(pair.bytes + '\0'));
}

TEST_CASE("100 blocks of zeros are noticed") {
  const Pair pair;
  const RandomStream random{.seed = 3};
  for (uint64_t i = 0; i < 100; ++i) {
    // On the borders of a disk's blocks, and anywhere.
    const size_t any = random.word(i) % pair.bytes.size();
    const size_t begin = i % 2 == 0 ? any / kBlock * kBlock : any;
    const size_t end = std::min(begin + kBlock, pair.bytes.size());
    std::string content = pair.bytes;
    std::fill(content.begin() + static_cast<std::ptrdiff_t>(begin),
              content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    INFO("from ", begin);
    CHECK((content == pair.bytes || pair.is_noticed(content)));
  }
  std::ofstream(pair.path, std::ios::binary) << pair.bytes;
  CHECK(CheckpointDirectory(pair.folder.path()).find_newest().found->facts.step == 20);
}

}  // namespace
}  // namespace mrcnn::test
