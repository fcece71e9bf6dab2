#include "tools/trainer/checkpoint_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/io/file_calls.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLeastKept = 2;

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(path, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    names.push_back(entries->path().filename().string());
  }
  if (error) throw FileError(ExitCode::kResources, path, "", "cannot list: " + error.message());
  return names;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// ".<name>.tmp.<pid>.<n>" of AtomicFile, where the name is one that a run writes here.
bool is_leftover(std::string_view name) {
  const size_t tail = name.rfind(".tmp.");
  if (!name.starts_with('.') || tail == name.npos) return false;
  const std::string_view numbers = name.substr(tail + 5);
  const size_t dot = numbers.find('.');
  if (dot == numbers.npos || !is_digits(numbers.substr(0, dot)) ||
      !is_digits(numbers.substr(dot + 1))) {
    return false;
  }
  constexpr std::string_view kOurs[] = {"final.safetensors", "config.txt", "log.jsonl", "log.csv"};
  const std::string_view target = name.substr(1, tail - 1);
  return checkpoint_step(target).has_value() ||
         std::find(std::begin(kOurs), std::end(kOurs), target) != std::end(kOurs);
}

}  // namespace

std::string CheckpointDirectory::path_of(int64_t step) const {
  return (fs::path(path_) / checkpoint_name(step)).string();
}

std::vector<int64_t> CheckpointDirectory::steps() const {
  std::vector<int64_t> steps;
  for (const std::string& name : names_in(path_)) {
    if (const std::optional<int64_t> step = checkpoint_step(name)) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

int64_t CheckpointDirectory::remove_leftovers() const {
  int64_t count = 0;
  for (const std::string& name : names_in(path_)) {
    if (!is_leftover(name)) continue;
    // One that cannot be removed is only untidy.
    if (file_calls::unlink((fs::path(path_) / name).c_str()) == 0) ++count;
  }
  return count;
}

ResumeSearch CheckpointDirectory::find_newest() {
  ResumeSearch search;
  std::vector<int64_t> candidates = steps();
  std::reverse(candidates.begin(), candidates.end());
  for (const int64_t step : candidates) {
    const std::string path = path_of(step);
    try {
      ResumePoint point{path, {}, read_checkpoint(path)};
      point.facts = facts_from_metadata(point.archive.metadata, path);
      if (point.facts.step != step) {
        throw FileError(ExitCode::kModel, path, "",
                        fmt::format("holds step {}; it was renamed", point.facts.step));
      }
      search.found = std::move(point);
      return search;
    } catch (const CheckpointVersionError&) {
      throw;
    } catch (const FileError& error) {
      if (error.exit_code() != ExitCode::kModel) throw;
      damaged_.insert(step);
      search.damaged.push_back({path, error.what()});
    }
  }
  return search;
}

SavedCheckpoint CheckpointDirectory::save(const TrainFacts& facts,
                                          const std::vector<StateTensor>& tensors, int64_t keep) {
  SavedCheckpoint saved;
  saved.path = path_of(facts.step);
  saved.bytes = write_checkpoint(saved.path, facts_to_metadata(facts), tensors);
  damaged_.erase(facts.step);
  remove_old(facts, keep, saved);
  return saved;
}

void CheckpointDirectory::remove_old(const TrainFacts& facts, int64_t keep,
                                     SavedCheckpoint& saved) const {
  std::vector<int64_t> candidates = steps();
  std::reverse(candidates.begin(), candidates.end());
  int64_t kept = 0;
  for (const int64_t step : candidates) {
    // Newer than the one just saved: passed over when the run was resumed.
    if (step > facts.step || damaged_.contains(step)) continue;
    const std::string path = path_of(step);
    if (!has_checkpoint_header(path)) continue;
    if (kept < std::max(keep, kLeastKept)) {
      ++kept;
      continue;
    }
    if (facts.best_metric && step == facts.best_step) continue;
    if (file_calls::unlink(path.c_str()) == 0) {
      saved.removed.push_back(checkpoint_name(step));
    } else {
      const std::string reason = std::generic_category().message(errno);
      saved.not_removed.push_back(checkpoint_name(step) + ": " + reason);
    }
  }
}

}  // namespace mrcnn
