// Bare pickles of NumPy arrays, as detectron2 publishes weights: the pickle machine without a
// container around it.
#include <memory>
#include <span>
#include <string>

#include "tests/fuzz/target.h"
#include "tools/pth/checkpoint.h"
#include "tools/pth/extract.h"
#include "tools/pth/state_dict.h"

namespace mrcnn {
namespace {

using fuzz::accepts;
using fuzz::require;

// Every index of the graph is one of its tables.
void check_graph(const pth::PickleGraph& graph, pth::ValueId root) {
  require(root < graph.values.size(), "the root is one of the values");
  for (pth::ValueId id = 0; id < graph.values.size(); ++id) {
    const pth::ValueKind kind = graph[id].kind;
    if (kind != pth::ValueKind::kDict && kind != pth::ValueKind::kList &&
        kind != pth::ValueKind::kTuple) {
      continue;
    }
    const std::span<const pth::ValueId> items = graph.items(id);
    require(kind != pth::ValueKind::kDict || items.size() % 2 == 0, "a dict has values for keys");
    for (const pth::ValueId item : items) require(item < graph.values.size(), "items are values");
  }
}

template <typename Find>
void check_tensors(const std::shared_ptr<const pth::Checkpoint>& checkpoint, const Find& find) {
  TensorArchive archive;
  const bool extracts =
      accepts(ExitCode::kModel, [&] { archive = pth::extract_tensors(checkpoint, find()); });
  if (extracts) fuzz::check_archive(archive);
}

void check(const FileBytes& file) {
  const auto no_warning = [](const std::string&) {};
  std::shared_ptr<pth::Checkpoint> checkpoint;
  const bool opens = accepts(ExitCode::kModel, [&] {
    checkpoint = std::make_shared<pth::Checkpoint>(
        pth::open_bare_pickle(file, "t.pkl", {.warn = no_warning}));
  });
  if (!opens) return;
  check_graph(checkpoint->graph, checkpoint->root);
  check_tensors(checkpoint, [&] { return pth::find_state_dict(*checkpoint, "", no_warning); });
  check_tensors(checkpoint, [&] { return pth::find_state_dict(*checkpoint, "a.b", no_warning); });
  check_tensors(checkpoint, [&] { return pth::find_all_tensors(*checkpoint); });
}

}  // namespace
}  // namespace mrcnn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mrcnn::check(mrcnn::fuzz::as_file(data, size));
  return 0;
}
