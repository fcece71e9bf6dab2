// Makes the plan of every convolution of the models, in every precision and pass, for GPUs that are
// described only, and writes how many engines support each as a table in Markdown:
//   plan_table OUTPUT.md DEVICE.json...
// Exit code 1 if a convolution has no engine on one of them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "kernels/conv/cudnn/engines.h"
#include "kernels/conv/cudnn/library.h"
#include "kernels/conv/cudnn/plan_steps.h"
#include "models/zoo.h"
#include "tools/bench/model_convolutions.h"

namespace mrcnn {
namespace {

using cuda::ConvolutionPass;
using cuda::ConvolutionProblem;

constexpr std::array kPrecisions = {Precision::kFp32, Precision::kTf32, Precision::kBf16};
constexpr std::array kPasses = {ConvolutionPass::kForward, ConvolutionPass::kDataGradient,
                                ConvolutionPass::kWeightGradient};

struct Cell {
  size_t engines = 0;  // distinct, of the fused graph
  bool made = false;
  bool fused = false;
  double seconds = 0;
};

// What differs between the two orientations is left out, so that both are one line.
std::string line_of(const ConvolutionProblem& p) {
  const bool product = p.width == 1;
  const std::string extent =
      product ? fmt::format("{} rows", p.height)
              : fmt::format("{}x{}", std::min(p.height, p.width), std::max(p.height, p.width));
  std::string text = fmt::format("{}{}, {} to {}", p.batch > 1 ? fmt::format("{} x ", p.batch) : "",
                                 extent, p.channels, p.out_channels);
  if (!product) text += fmt::format(", {}x{}", p.kernel[0], p.kernel[1]);
  if (p.channels == 3) text += " (padded to 16 bytes a pixel)";
  if (p.stride[0] > 1) text += fmt::format(" stride {}", p.stride[0]);
  return text + (p.residual ? ", residual" : "") + (p.relu ? ", ReLU" : "");
}

class Table {
 public:
  explicit Table(const std::vector<std::string>& device_files) {
    for (const std::string& path : device_files) {
      const FileBytes file = read_file(path, ExitCode::kUsage);
      std::string text;
      for (const std::byte byte : file.bytes) text += static_cast<char>(byte);
      devices_.push_back(cudnn::TargetDevice::described(text));
    }
    list_convolutions();
  }

  void fill() {
    size_t done = 0;
    for (const std::string& line : lines_) {
      for (const ConvolutionProblem& forward : problems_[line]) fill_line(line, forward);
      std::fprintf(stderr, "%zu of %zu: %s\n", ++done, lines_.size(), line.c_str());
    }
  }

  std::string markdown() const;
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void list_convolutions() {
    for (const char* model :
         {"maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "maskrcnn_resnet50_c5"}) {
      for (const bool landscape : {true, false}) {
        const ConvolutionInput input{.height = landscape ? 800 : 1344,
                                     .width = landscape ? 1344 : 800};
        for (const ConvolutionProblem& problem : model_convolutions(model_config(model), input)) {
          const std::string line = line_of(problem);
          if (problems_.find(line) == problems_.end()) lines_.push_back(line);
          problems_[line].insert(problem);
        }
      }
    }
  }

  void fill_line(const std::string& line, const ConvolutionProblem& forward) {
    for (size_t device = 0; device < devices_.size(); ++device) {
      for (const Precision precision : kPrecisions) {
        for (const ConvolutionPass pass : kPasses) {
          const Cell cell =
              make(as_pass(with_precision(forward, precision), pass), devices_[device]);
          const auto key = std::tuple(line, device, precision, pass);
          const auto [entry, is_new] = cells_.emplace(key, cell);
          if (is_new) continue;
          // The worse orientation counts.
          entry->second.engines = std::min(entry->second.engines, cell.engines);
          entry->second.made &= cell.made;
          entry->second.fused &= cell.fused;
          entry->second.seconds = std::max(entry->second.seconds, cell.seconds);
        }
      }
    }
  }

  Cell make(const ConvolutionProblem& problem, const cudnn::TargetDevice& device) {
    Cell cell;
    const auto start = std::chrono::steady_clock::now();
    try {
      const cudnn::OperationGraph graph(problem, cudnn::GraphPart::kWhole);
      std::set<int64_t> distinct;
      for (const auto& engine : cudnn::find_engines(graph, problem, device).engines) {
        distinct.insert(engine.index);
      }
      cell.engines = distinct.size();
      cell.fused = cudnn::make_plan_steps(problem, device).size() == 1;
      cell.made = true;
    } catch (const CudaError& error) {
      failures_.emplace_back(error.what());
    }
    cell.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++num_plans_;
    seconds_ += cell.seconds;
    slowest_ = std::max(slowest_, cell.seconds);
    return cell;
  }

  std::vector<cudnn::TargetDevice> devices_;
  std::vector<std::string> lines_;
  std::map<std::string, std::set<ConvolutionProblem>> problems_;
  std::map<std::tuple<std::string, size_t, Precision, ConvolutionPass>, Cell> cells_;
  std::vector<std::string> failures_;
  size_t num_plans_ = 0;
  double seconds_ = 0, slowest_ = 0;
};

std::string Table::markdown() const {
  size_t unfused = 0;
  for (const auto& [key, cell] : cells_) unfused += cell.made && !cell.fused ? 1 : 0;
  std::string text = fmt::format(
      "cuDNN {}; {} plans in {:.0f} s, the slowest in {:.1f} s; {} cells of {} run their epilogue "
      "in a kernel of its own (marked `+`), {} plans could not be made (marked `-`).\n\n",
      cudnn::library().version, num_plans_, seconds_, slowest_, unfused, cells_.size(),
      failures_.size());
  for (size_t device = 0; device < devices_.size(); ++device) {
    text += fmt::format("## {}\n\n| convolution |", devices_[device].description());
    std::string rule = "|---|";
    for (const Precision precision : kPrecisions) {
      for (const char* pass : {"forward", "data", "weight"}) {
        text += fmt::format(" {} {} |", precision_name(precision), pass);
        rule += "---:|";
      }
    }
    text += "\n" + rule + "\n";
    for (const std::string& line : lines_) {
      text += "| " + line + " |";
      for (const Precision precision : kPrecisions) {
        for (const ConvolutionPass pass : kPasses) {
          const Cell& cell = cells_.at({line, device, precision, pass});
          text += fmt::format(" {}{} |", cell.made ? std::to_string(cell.engines) : "-",
                              cell.made && !cell.fused ? "+" : "");
        }
      }
      text += "\n";
    }
    text += "\n";
  }
  for (const std::string& failure : failures_) text += "- " + failure + "\n";
  return text;
}

}  // namespace
}  // namespace mrcnn

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: plan_table OUTPUT.md DEVICE.json...\n");
    return 2;
  }
  try {
    mrcnn::Table table(std::vector<std::string>(argv + 2, argv + argc));
    table.fill();
    std::ofstream(argv[1]) << table.markdown();
    for (const std::string& failure : table.failures()) {
      std::fprintf(stderr, "%s\n", failure.c_str());
    }
    return table.failures().empty() ? 0 : 1;
  } catch (const mrcnn::Error& error) {
    std::fprintf(stderr, "plan_table: %s\n", error.what());
    return static_cast<int>(error.exit_code());
  }
}
