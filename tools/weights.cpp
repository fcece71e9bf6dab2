#include "tools/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/io/limits.h"
#include "core/io/safetensors.h"
#include "tools/pth/checkpoint.h"
#include "tools/pth/extract.h"
#include "tools/pth/state_dict.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

using namespace std::string_view_literals;

[[noreturn]] void refuse(const std::string& path, const std::string& problem) {
  throw FileError(ExitCode::kModel, path, "", problem);
}

std::string_view text_of(const FileBytes& file) {
  const void* data = file.bytes.data();
  return {static_cast<const char*>(data), file.bytes.size()};
}

// A header length that the format allows, and then a JSON object.
bool looks_like_safetensors(std::string_view text) {
  uint64_t length = 0;
  if (text.size() < 9) return false;
  std::memcpy(&length, text.data(), sizeof(length));
  const size_t first = text.find_first_not_of(" \t\r\n", 8);
  return length <= static_cast<uint64_t>(kLimits.safetensors.header_bytes) && first != text.npos &&
         text[first] == '{';
}

// What people download instead of weights.
void refuse_known_strangers(std::string_view text, const std::string& path) {
  if (text.empty()) refuse(path, "the file is empty; fetch it again");
  if (text.starts_with("version https://git-lfs")) {
    refuse(path, "is a Git LFS pointer, not the file it points to; run git lfs pull");
  }
  if (text.starts_with("\x1f\x8b")) refuse(path, "is compressed by gzip; unpack it first");
  if (text.starts_with("\x89HDF")) refuse(path, "is an HDF5 file, which is not a PyTorch format");
  if (text.starts_with("PYTORCH1")) {
    refuse(path, "is an archive of a preview release of PyTorch; save it again with a release");
  }
  if (text.starts_with("GGUF")) refuse(path, "is a GGUF file, which holds no Mask R-CNN");
  if (text.starts_with("\x93NUMPY")) refuse(path, "is a single NumPy array");
  if (text.size() > 262 && text.substr(257, 5) == "ustar") {
    refuse(path, "is in the tar format of torch 0.1; load and save it with a newer PyTorch");
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && text[first] == '<') {
    refuse(path, "is a web page, not a model; the download went wrong");
  }
}

pth::Checkpoint open_checkpoint(const FileBytes& file, const std::string& path, WeightFormat format,
                                const pth::OpenOptions& options) {
  switch (format) {
    case WeightFormat::kZipCheckpoint:
      return pth::open_zip_checkpoint(file, path, options);
    case WeightFormat::kLegacyCheckpoint:
      return pth::open_legacy_checkpoint(file, path, options);
    default:
      return pth::open_bare_pickle(file, path, options);
  }
}

void strip_wrappers(TensorArchive& archive) {
  constexpr std::string_view kPrefixes[] = {"module.", "model.", "d2_model.", "_orig_mod."};
  for (bool stripped = !archive.tensors.empty(); stripped;) {
    stripped = false;
    for (const std::string_view prefix : kPrefixes) {
      const bool on_all = std::all_of(
          archive.tensors.begin(), archive.tensors.end(), [&](const FileTensor& tensor) {
            return tensor.name.starts_with(prefix) && tensor.name.size() > prefix.size();
          });
      if (!on_all) continue;
      for (FileTensor& tensor : archive.tensors) tensor.name.erase(0, prefix.size());
      stripped = true;
    }
  }
}

}  // namespace

std::string_view weight_format_name(WeightFormat format) {
  switch (format) {
    case WeightFormat::kSafetensors:
      return "safetensors";
    case WeightFormat::kZipCheckpoint:
      return "PyTorch checkpoint (zip)";
    case WeightFormat::kLegacyCheckpoint:
      return "PyTorch checkpoint (legacy)";
    case WeightFormat::kPickle:
      return "pickle";
  }
  return "";
}

WeightFormat detect_weight_format(const FileBytes& file, const std::string& path) {
  const std::string_view text = text_of(file);
  if (text.starts_with("PK\x03\x04"sv)) return WeightFormat::kZipCheckpoint;
  // The number 0x1950a86a20f9469cfc6c, pickled.
  if (text.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv)) {
    return WeightFormat::kLegacyCheckpoint;
  }
  if (looks_like_safetensors(text)) return WeightFormat::kSafetensors;
  refuse_known_strangers(text, path);
  const bool is_pickle = text.size() > 1 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
  if (is_pickle || text.find_first_of("(}]c") == 0) return WeightFormat::kPickle;
  refuse(path, "is none of the formats that can be read: .safetensors, PyTorch .pth, NumPy .pkl");
}

TensorArchive parse_weights(const FileBytes& file, const std::string& path,
                            const ReadOptions& options) {
  const WeightFormat format = detect_weight_format(file, path);
  TensorArchive archive;
  if (format == WeightFormat::kSafetensors) {
    if (!options.key.empty()) refuse(path, "--key is for PyTorch checkpoints, not safetensors");
    archive = parse_safetensors(file, path);
    if (is_checkpoint(archive) && !options.whole_object) archive = checkpoint_weights(file, path);
    if (archive.tensors.empty()) refuse(path, "holds no tensors");
  } else {
    const auto checkpoint = std::make_shared<pth::Checkpoint>(open_checkpoint(
        file, path, format,
        {.check_crc = options.check_crc, .refuse_denied = true, .warn = options.warn}));
    const std::vector<pth::NamedValue> wanted =
        options.whole_object ? pth::find_all_tensors(*checkpoint)
                             : pth::find_state_dict(*checkpoint, options.key, options.warn);
    archive = pth::extract_tensors(checkpoint, wanted);
  }
  if (!options.whole_object) strip_wrappers(archive);
  return archive;
}

TensorArchive read_weights(const std::string& path, const ReadOptions& options) {
  return parse_weights(read_file(path, ExitCode::kModel), path, options);
}

std::vector<PickledName> list_pickled_names(const std::string& path) {
  return list_pickled_names(read_file(path, ExitCode::kModel), path);
}

std::vector<PickledName> list_pickled_names(const FileBytes& file, const std::string& path) {
  const WeightFormat format = detect_weight_format(file, path);
  std::vector<PickledName> names;
  if (format == WeightFormat::kSafetensors) return names;
  const pth::Checkpoint checkpoint = open_checkpoint(
      file, path, format, {.check_crc = true, .refuse_denied = false, .warn = [](const auto&) {}});
  for (const pth::Global& global : checkpoint.graph.globals) {
    names.push_back(
        {global.position, global.full_name(), std::string(meaning_text(global.meaning))});
  }
  return names;
}

void check_name_hash(const std::string& path, const std::string& sha256,
                     const std::function<void(const std::string&)>& warn) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string name = std::filesystem::path(path).filename().string();
  if (checkpoint_step(name)) return;  // the digits of our own checkpoints are a step
  const size_t dot = name.rfind('.');
  if (dot == name.npos) return;
  const size_t dash = name.rfind('-', dot);
  if (dash == name.npos) return;
  const std::string_view promised = std::string_view(name).substr(dash + 1, dot - dash - 1);
  const bool is_hash = promised.size() >= 8 && promised.size() <= sha256.size() &&
                       promised.find_first_not_of(kHex) == promised.npos;
  if (!is_hash || sha256.starts_with(promised)) return;
  const std::string problem = fmt::format("its name promises SHA-256 {}..., but it has {}...",
                                          promised, sha256.substr(0, promised.size()));
  if (promised.find_first_of("abcdef") == promised.npos) {
    warn(path + ": " + problem);
    return;
  }
  refuse(path, problem +
                   "; the download is incomplete or the file was changed (rename it to use "
                   "it all the same)");
}

}  // namespace mrcnn
