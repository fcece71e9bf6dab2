// Settings of a training run: the text of a file, and its lines as words of a command line.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"
#include "tools/trainer/config_file.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void check_round_trip(const TrainConfig& config) {
  const std::string text = config_text(config);
  const TrainConfig again = parse_config(text, "written");
  require(config_text(again) == text, "settings survive being written");
  require(config_hash(again) == config_hash(config), "equal settings have equal hashes");
  require(changed_settings(config, again).empty(), "nothing differs between equal settings");
  accepts(ExitCode::kUsage, [&] { check_config(config); });
}

void check(std::string_view text) {
  TrainConfig config;
  if (accepts(ExitCode::kUsage, [&] { config = parse_config(text, "t.txt"); })) {
    check_round_trip(config);
  }
  const ConfigSources words{.file = "", .overrides = lines_of(text)};
  if (accepts(ExitCode::kUsage, [&] { config = read_config(words); })) check_round_trip(config);
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mrcnn::check(mrcnn::fuzz::as_text(mrcnn::fuzz::as_file(data, size)));
  return 0;
}
