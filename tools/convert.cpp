// convert: reads weights from any known format and writes them as one of our models has them.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>
#include <future>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "core/io/sha256.h"
#include "models/weight_metadata.h"
#include "models/zoo.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"
#include "tools/conversion.h"
#include "tools/option_checks.h"
#include "tools/weight_export.h"
#include "tools/weights.h"

namespace {

using namespace mrcnn;

struct Options {
  std::string input;
  std::string output;
  ConversionOptions conversion;
  std::string key;
  bool partial = false;
  bool no_crc = false;
  bool list = false;
  bool hash = false;
  bool globals = false;
  bool all = false;
  std::string pth_names;
};

void warn(const std::string& message) { fmt::print(stderr, "convert: warning: {}\n", message); }

ReadOptions read_options(const Options& options) {
  return {
      .key = options.key, .whole_object = options.all, .check_crc = !options.no_crc, .warn = warn};
}

int list_tensors(const Options& options) {
  const TensorArchive archive = read_weights(options.input, read_options(options));
  for (const auto& [key, value] : archive.metadata) fmt::print("# {}: {}\n", key, value);
  for (const FileTensor& tensor : archive.tensors) fmt::print("{}\n", describe_tensor(tensor));
  return 0;
}

int list_hashes(const Options& options) {
  const TensorArchive archive = read_weights(options.input, read_options(options));
  for (const std::string& line : hash_tensors(archive)) fmt::print("{}\n", line);
  return 0;
}

int list_globals(const Options& options) {
  for (const PickledName& name : list_pickled_names(options.input)) {
    fmt::print("{:>10} {} ({})\n", name.offset, name.name, name.meaning);
  }
  return 0;
}

// Nothing: a file of our own.
std::optional<ExportNames> export_names(const Options& options) {
  const std::string& text = options.pth_names;
  if (text.empty()) return std::nullopt;
  if (text == "true") return ExportNames::kPresent;  // how a flag without a value reads
  if (text == "legacy") return ExportNames::kLegacy;
  throw UsageError("--to-pth-names stands alone or as --to-pth-names=legacy, not with \"" + text +
                   "\"");
}

void export_file(const Conversion& conversion, ExportNames names, const Options& options) {
  const WeightExport result = export_weights(conversion, options.input, names);
  write_safetensors(options.output, result.archive);
  fmt::print("wrote {}: {} tensors, for model.load_state_dict(safetensors.torch.load_file(...))\n",
             options.output, result.archive.tensors.size());
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
}

// The format is decided by the reader's needs, not by the name; a name that promises another one
// leads to a file that its reader refuses.
void check_output_name(const std::string& path) {
  for (const char* suffix : {".pth", ".pt", ".pkl", ".bin"}) {
    if (path.ends_with(suffix)) {
      throw UsageError("the output is a safetensors file, and " + path + " says otherwise; " +
                       "end its name in .safetensors");
    }
  }
}

int convert_file(const Options& options) {
  const FileBytes file = read_file(options.input, ExitCode::kModel);
  // The hash of the whole file takes as long as all the checks; both run at once.
  std::future<std::string> sha256 =
      std::async(std::launch::async, [&file] { return sha256_hex(file.bytes); });
  const TensorArchive source = parse_weights(file, options.input, read_options(options));
  Conversion conversion = convert_to_model(source, options.input, options.conversion);
  const int64_t non_finite = count_non_finite(conversion.archive);
  if (non_finite > 0) warn(fmt::format("{} values are NaN or infinite", non_finite));
  const std::string digest = sha256.get();
  check_name_hash(options.input, digest, warn);
  conversion.archive.metadata.emplace(metadata_key::kSourceSha256, digest);
  fmt::print("{}: {}", options.input, conversion.report());
  if (!conversion.names.complete() && !options.partial) {
    throw FileError(
        ExitCode::kModel, options.input, "",
        export_names(options)
            ? "does not fit the model, nothing was written"
            : "does not fit the model, nothing was written; --partial converts what fits");
  }
  if (conversion.archive.tensors.empty()) {
    throw FileError(ExitCode::kModel, options.input, "", "no tensor fits the model");
  }
  if (const std::optional<ExportNames> names = export_names(options)) {
    export_file(conversion, *names, options);
  } else {
    write_safetensors(options.output, conversion.archive);
    fmt::print("wrote {}\n", options.output);
  }
  return 0;
}

void check_bn_eps(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value < 1)) {
    throw UsageError("--bn-eps is a number from 0 up to 1, not \"" + text + "\"");
  }
}

int run_mode(const Options& options) {
  const bool is_export = export_names(options).has_value();
  const int listings = int{options.list} + int{options.hash} + int{options.globals};
  if (listings > 1) throw UsageError("--list, --hash and --globals are separate");
  if (listings == 1 && !options.output.empty()) {
    throw UsageError("a listing writes no file: " + options.output + " is one too many");
  }
  if (listings == 1 && is_export) {
    throw UsageError("a listing writes no file: --to-pth-names is one too many");
  }
  if (options.list) return list_tensors(options);
  if (options.hash) return list_hashes(options);
  if (options.globals) return list_globals(options);
  if (options.output.empty()) throw UsageError("the output file is missing");
  if (options.all) throw UsageError("--all is for --list and --hash");
  check_output_name(options.output);
  if (is_export && options.partial) {
    throw UsageError("--to-pth-names writes all tensors or none, so not with --partial");
  }
  if (options.conversion.bn_eps) check_bn_eps(*options.conversion.bn_eps);
  return convert_file(options);
}

int convert(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Reads weights (.pth of any age, .pkl of NumPy arrays, .safetensors) and writes them as\n"
      ".safetensors under the names of one of our models, or for PyTorch.\n\n"
      "  convert maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth coco.safetensors\n"
      "  convert --to-pth-names runs/a/checkpoint-000012000.safetensors torch.safetensors\n"
      "  convert --list checkpoint.pth\n"
      "  convert --hash --all checkpoint.pth"};
  app.name("convert");
  app.add_option("input", options.input, "File to read")->required();
  app.add_option("output", options.output, "File to write (.safetensors)");
  app.add_option("--model", options.conversion.model, "Model to convert to; default: by the names")
      ->check(one_of(model_names()));
  app.add_option("--classes", options.conversion.num_classes,
                 "Classes of the model, background included; default: as in the file")
      ->check(whole_number_between(2, 1'000'000));
  app.add_option("--key", options.key,
                 "Where in a checkpoint the weights lie, such as ema.module; default: searched");
  app.add_flag("--partial", options.partial,
               "Write what fits although tensors are missing, unexpected or of other shape");
  app.add_flag("--no-crc", options.no_crc, "Do not check the archive's checksums");
  app.add_option(
      "--bn-eps", options.conversion.bn_eps,
      "Epsilon of the body's norm layers. Default: 0 for torchvision v1, whose published "
      "weights were trained so and do not say it; 1e-05 for all others");
  app.add_flag("--to-pth-names", options.pth_names,
               "Write for PyTorch: every tensor of the reference's state dict, in f32, so that "
               "model.load_state_dict(safetensors.torch.load_file(FILE)) takes it. "
               "--to-pth-names=legacy: with torchvision's names before 0.13");
  app.add_flag("--list", options.list, "Print type, shape and name of each tensor");
  app.add_flag("--hash", options.hash,
               "Print \"SHA-256 type [shape] name\" of each tensor, over its contiguous "
               "little-endian bytes; types are f32, bf16, i64, ...");
  app.add_flag("--globals", options.globals,
               "Print the names that a pickle refers to, with their byte; runs nothing");
  app.add_flag("--all", options.all,
               "With --list and --hash: every tensor of a checkpoint, under its path");
  if (const std::optional<int> done = parse_command_line(app, argc, argv)) return *done;
  return run_mode(options);
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("convert", [&] { return convert(argc, argv); });
}
