// safetensors files, and training checkpoints, which are such files with a digest over every byte.
#include <cstring>
#include <map>
#include <span>
#include <string>

#include "core/io/safetensors.h"
#include "core/io/sha256.h"
#include "tests/fuzz/target.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/checkpoint_format.h"
#include "tools/trainer/train_facts.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

constexpr size_t kDigestDigits = 64;

size_t prologue_size(std::string_view text) {
  uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof(length));
  return sizeof(length) + static_cast<size_t>(length);
}

// The digests a checkpoint would have if its content were meant so: no mutation keeps them right,
// and what lies behind them would never be reached.
std::string with_right_digests(const FileBytes& file, const TensorArchive& archive) {
  std::string text(fuzz::as_text(file));
  const std::string key = "\"" + std::string(checkpoint_key::kTensorSha256) + "\":\"";
  const std::string_view header = std::string_view(text).substr(0, prologue_size(text));
  const size_t found = header.find(key);
  const size_t list_size = archive.tensors.size() * (kDigestDigits + 1);
  if (found != header.npos && list_size > 0 && found + key.size() + list_size <= header.size()) {
    size_t at = found + key.size();
    for (const FileTensor& tensor : archive.tensors) {
      text.replace(at, kDigestDigits, sha256_hex(tensor.bytes));
      at += kDigestDigits + 1;
    }
  }
  const auto seal = header_seal(std::string_view(text).substr(0, prologue_size(text)));
  if (seal) text.replace(seal->offset, kDigestDigits, seal->digest);
  return text;
}

void check_facts(const std::map<std::string, std::string>& metadata) {
  TrainFacts facts;
  if (!accepts(ExitCode::kModel, [&] { facts = facts_from_metadata(metadata, "t"); })) return;
  const std::map<std::string, std::string> written = facts_to_metadata(facts);
  require(facts_to_metadata(facts_from_metadata(written, "t")) == written,
          "a run's facts survive being written");
}

// A digest covers every byte, so no bit may change unnoticed.
void check_flip(std::string_view text) {
  std::string changed(text);
  const size_t at = static_cast<size_t>(fuzz::sum_of(std::as_bytes(std::span(text)))) % text.size();
  changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
  require(!accepts(ExitCode::kModel, [&] { parse_checkpoint(fuzz::as_file(changed), "t"); }),
          "a changed bit of a checkpoint is noticed");
}

// Both readers of a checkpoint. Returns whether all of it verifies.
bool check_checkpoint(const FileBytes& file) {
  TensorArchive archive;
  const bool verifies = accepts(ExitCode::kModel, [&] { archive = parse_checkpoint(file, "t"); });
  const bool gives_weights = accepts(ExitCode::kModel, [&] {
    for (const auto& [key, value] : checkpoint_weights(file, "t").metadata) {
      require(!key.starts_with(checkpoint_key::kPrefix), "weights have no facts of a run");
    }
  });
  if (!verifies) return false;
  require(gives_weights, "a checkpoint that verifies gives its weights");
  check_facts(archive.metadata);
  check_flip(fuzz::as_text(file));
  return true;
}

void check(const FileBytes& file) {
  TensorArchive archive;
  if (!accepts(ExitCode::kModel, [&] { archive = parse_safetensors(file, "t"); })) return;
  size_t total = prologue_size(fuzz::as_text(file));
  for (const FileTensor& tensor : archive.tensors) total += tensor.bytes.size();
  require(total == file.bytes.size(), "header and tensors are the whole file");
  fuzz::check_archive(archive);
  if (!is_checkpoint(archive)) {
    require(!accepts(ExitCode::kModel, [&] { parse_checkpoint(file, "t"); }),
            "only a checkpoint is read as one");
    return;
  }
  if (!check_checkpoint(file)) check_checkpoint(fuzz::as_file(with_right_digests(file, archive)));
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mrcnn::check(mrcnn::fuzz::as_file(data, size));
  return 0;
}
