// PyTorch weight files: the ZIP container, the legacy one, and the pickles in both.
#include <algorithm>

#include "tests/fuzz/target.h"
#include "tools/weights.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

bool same_tensors(const TensorArchive& a, const TensorArchive& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const FileTensor& one = a.tensors[i];
    const FileTensor& other = b.tensors[i];
    if (one.name != other.name || one.dtype != other.dtype || one.shape != other.shape) {
      return false;
    }
    if (!std::equal(one.bytes.begin(), one.bytes.end(), other.bytes.begin(), other.bytes.end())) {
      return false;
    }
  }
  return true;
}

bool reads(const FileBytes& file, const ReadOptions& options, TensorArchive& archive) {
  return accepts(ExitCode::kModel, [&] { archive = parse_weights(file, "t.pth", options); });
}

void check(const FileBytes& file) {
  // Without checksums first: hardly any mutated archive has the right ones.
  TensorArchive loose, strict, whole;
  const bool loose_accepts = reads(file, {.check_crc = false}, loose);
  if (loose_accepts) {
    require(!loose.tensors.empty(), "an accepted file has tensors");
    fuzz::check_archive(loose);
  }
  // What is refused goes to one of the other readers only, to be fast.
  const size_t turn = fuzz::sum_of(file.bytes) % 3;
  if (loose_accepts || turn == 0) {
    const bool strict_accepts = reads(file, {}, strict);
    require(!strict_accepts || (loose_accepts && same_tensors(strict, loose)),
            "checksums change no result");
  }
  if (loose_accepts || turn == 1) {
    const ReadOptions all{.whole_object = true, .check_crc = false};
    if (reads(file, all, whole)) fuzz::check_archive(whole);
  }
  if (loose_accepts || turn == 2) {
    accepts(ExitCode::kModel, [&] { list_pickled_names(file, "t.pth"); });
  }
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mrcnn::check(mrcnn::fuzz::as_file(data, size));
  return 0;
}
