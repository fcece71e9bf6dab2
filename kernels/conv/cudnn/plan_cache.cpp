#include "kernels/conv/cudnn/plan_cache.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/sha256.h"
#include "kernels/conv/cudnn/library.h"

namespace mrcnn::cudnn {
namespace {

using cuda::ConvolutionProblem;

// The number also stands for how graphs are built: it grows when operation_graph.cpp changes,
// because plans of the old graphs must not be taken for plans of the new ones.
constexpr std::string_view kFormat = "maskrcnn convolution plan 1";
constexpr const char* kTimed = "timed";
constexpr const char* kAdvised = "advised";

// Letters, digits, '.' and '-' as they are, everything else as one '_'.
std::string as_file_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    if (plain) {
      name += c;
    } else if (!name.ends_with('_')) {
      name += '_';
    }
  }
  return name;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string header_of(const ConvolutionProblem& problem, bool timed, std::string_view body) {
  return fmt::format("{}\n{}\n{}\n{}\n", kFormat, cuda::describe(problem),
                     timed ? kTimed : kAdvised, sha256_hex(bytes_of(body)));
}

std::string body_of(const PlanSteps& steps) {
  std::string body;
  for (const PlanStep& step : steps) {
    const std::string text = serialize(step);
    body += fmt::format("{} {}\n", static_cast<int>(step.part), text.size());
    body += text;
  }
  return body;
}

// Takes the text up to `end` off the front; the whole rest where there is none.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

std::optional<size_t> as_number(std::string_view text) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Nothing if the body is not what body_of() writes.
std::optional<PlanSteps> read_body(std::string_view body, const ConvolutionProblem& problem,
                                   const TargetDevice& device) {
  PlanSteps steps;
  while (!body.empty()) {
    const std::optional<size_t> part = as_number(take_until(body, ' '));
    const std::optional<size_t> length = as_number(take_until(body, '\n'));
    if (!part || *part > static_cast<size_t>(GraphPart::kEpilogue)) return std::nullopt;
    if (!length || *length > body.size()) return std::nullopt;
    steps.push_back(restore_plan_step(problem, static_cast<GraphPart>(*part),
                                      std::string(body.substr(0, *length)), device));
    body.remove_prefix(*length);
  }
  if (steps.empty()) return std::nullopt;
  return steps;
}

}  // namespace

PlanCache::PlanCache(const std::string& directory, const TargetDevice& device) : device_(device) {
  if (directory.empty()) return;
  directory_ =
      fmt::format("{}/plans/{}-sm_{}-{}-cudnn-{}", directory, as_file_name(device.name()),
                  device.compute_capability(), device.multiprocessors(), library().version);
}

std::string PlanCache::path_of(const ConvolutionProblem& problem) const {
  if (directory_.empty()) return {};
  return directory_ + "/" + as_file_name(cuda::describe(problem)) + ".plan";
}

std::optional<CachedPlan> PlanCache::load(const ConvolutionProblem& problem) const {
  const std::string path = path_of(problem);
  std::error_code error;
  if (path.empty() || !std::filesystem::is_regular_file(path, error)) return std::nullopt;
  try {
    const FileBytes file = read_file(path, ExitCode::kResources);
    std::string text(file.bytes.size(), '\0');
    std::copy_n(file.bytes.data(), text.size(), std::as_writable_bytes(std::span(text)).data());
    std::string_view body = text;
    for (int line = 0; line < 4; ++line) take_until(body, '\n');
    for (const bool timed : {false, true}) {
      const std::string header = header_of(problem, timed, body);
      if (text.size() - body.size() != header.size() || !text.starts_with(header)) continue;
      std::optional<PlanSteps> steps = read_body(body, problem, device_);
      if (steps) return CachedPlan{std::move(*steps), timed};
    }
  } catch (const Error&) {
    // Unreadable, or refused by the library: the plan is made anew.
  }
  return std::nullopt;
}

bool PlanCache::store(const ConvolutionProblem& problem, const CachedPlan& plan) const {
  if (directory_.empty()) return false;
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) return false;
  try {
    const std::string body = body_of(plan.steps);
    AtomicFile file(path_of(problem));
    file.write(bytes_of(header_of(problem, plan.timed, body)));
    file.write(bytes_of(body));
    file.commit();
    return true;
  } catch (const Error&) {
    return false;  // a full disk, or an engine whose plan cannot be written
  }
}

}  // namespace mrcnn::cudnn
