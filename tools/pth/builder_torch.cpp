// What PyTorch's functions and persistent ids mean. Source: PyTorch 2.x, torch/_utils.py,
// torch/serialization.py; the state tuples of torch 0.1 to 0.3 tensors.
#include <fmt/format.h>

#include <algorithm>

#include "tools/pth/builder.h"
#include "tools/pth/limits.h"

namespace mrcnn::pth {

ValueId Builder::new_tensor(TensorInfo tensor) {
  if (graph_.tensors.size() >= kLimits.tensors) fail("the pickle holds too many tensors");
  graph_.tensors.push_back(std::move(tensor));
  return add(
      {.kind = ValueKind::kTensor, .index = static_cast<uint32_t>(graph_.tensors.size() - 1)});
}

TensorInfo Builder::tensor_info(Arguments arguments) const {
  if (!graph_.is(arguments[0], ValueKind::kStorage)) {
    fail(fmt::format("a tensor is made from {} instead of a storage",
                     value_kind_name(graph_[arguments[0]].kind)));
  }
  TensorInfo tensor;
  tensor.is_built = true;
  tensor.storage = graph_[arguments[0]].index;
  tensor.type = graph_.storages[tensor.storage].type;
  tensor.offset = expect_int(arguments[1], "the offset of a tensor");
  if (tensor.offset < 0) fail(fmt::format("the offset of a tensor is {}", tensor.offset));
  tensor.sizes = expect_sizes(arguments[2], "the size of a tensor");
  tensor.strides = expect_sizes(arguments[3], "the stride of a tensor");
  if (tensor.sizes.size() != tensor.strides.size()) {
    fail(fmt::format("a tensor has {} sizes and {} strides", tensor.sizes.size(),
                     tensor.strides.size()));
  }
  return tensor;
}

ValueId Builder::rebuild(Meaning meaning, ValueId callable, Arguments arguments) {
  switch (meaning) {
    case Meaning::kRebuildTensor:
      expect_count(arguments, 4, 4, "_rebuild_tensor");
      return new_tensor(tensor_info(arguments));
    case Meaning::kRebuildTensorV2:
      expect_count(arguments, 6, 7, "_rebuild_tensor_v2");
      return new_tensor(tensor_info(arguments));
    case Meaning::kRebuildTensorV3: {
      expect_count(arguments, 7, 8, "_rebuild_tensor_v3");
      TensorInfo tensor = tensor_info(arguments);
      if (!graph_.is(arguments[6], ValueKind::kGlobal)) fail("the dtype of a tensor is not a name");
      tensor.type = element_type_of_torch(graph_.global(arguments[6]).name);
      if (tensor.type == nullptr) {
        fail(fmt::format("unknown dtype {}", graph_.global(arguments[6]).full_name()));
      }
      return new_tensor(std::move(tensor));
    }
    case Meaning::kRebuildParameter:
      expect_count(arguments, 3, 4, "_rebuild_parameter");
      // Lazy and fake parameters wrap something else; they stay unknown and only matter if needed.
      if (!graph_.is(arguments[0], ValueKind::kTensor)) return opaque(callable);
      return arguments[0];
    case Meaning::kRebuildFromType:
      return rebuild_from_type(callable, arguments);
    default:  // a tensor class: filled by its state, or wrapped around a tensor
      if (!arguments.empty() && graph_.is(arguments[0], ValueKind::kTensor)) return arguments[0];
      return new_tensor({});
  }
}

// A tensor of a subclass: the function makes the plain tensor.
ValueId Builder::rebuild_from_type(ValueId callable, Arguments arguments) {
  expect_count(arguments, 4, 4, "_rebuild_from_type_v2");
  if (!graph_.is(arguments[0], ValueKind::kGlobal)) return opaque(callable);
  if (graph_.global(arguments[0]).meaning == Meaning::kRebuildFromType) {
    fail("_rebuild_from_type_v2 is nested");
  }
  return reduce(arguments[0], arguments[2]);
}

void Builder::build_tensor(ValueId target, ValueId state) {
  TensorInfo& tensor = graph_.tensors[graph_[target].index];
  if (tensor.is_built) {
    // Attributes that somebody hung on a tensor.
    if (!graph_.is(state, ValueKind::kDict)) fail("a complete tensor is given a second state");
    return;
  }
  const std::span<const ValueId> items = tuple_items(state, "the state of a tensor");
  if (items.size() == 4) {
    tensor = tensor_info(items);
    return;
  }
  // (data, gradient, hooks, requires_grad, volatile)
  if (items.size() != 5 || !graph_.is(items[0], ValueKind::kTensor)) {
    fail(fmt::format("the state of a tensor has {} entries of unknown meaning", items.size()));
  }
  tensor = graph_.tensors[graph_[items[0]].index];
}

const ElementType* Builder::storage_type(ValueId id) const {
  if (!graph_.is(id, ValueKind::kGlobal)) fail("the type of a storage is not a name");
  const Global& global = graph_.global(id);
  const ElementType* type = element_type_of_storage(global.name);
  if (global.meaning != Meaning::kStorageType || type == nullptr) {
    fail(fmt::format("unknown type of storage {}", global.full_name()));
  }
  return type;
}

ValueId Builder::storage_reference(ValueId id) {
  if (options_.storages == StorageReferences::kNone) {
    fail("the file refers to data outside of it; it was taken out of a .pth archive");
  }
  const std::span<const ValueId> items = tuple_items(id, "a reference to a storage");
  const std::string_view tag = items.empty() ? "" : expect_text(items[0], "a reference");
  if (tag == "module") {
    fail(
        "the file holds a whole pickled module, which only its Python code can read; save its "
        "state_dict() instead");
  }
  const size_t count = options_.storages == StorageReferences::kLegacy ? 6 : 5;
  if (tag != "storage" || items.size() != count) {
    fail(fmt::format("a reference is not a storage of {} entries", count));
  }
  Storage storage;
  storage.type = storage_type(items[1]);
  storage.key = expect_text(items[2], "the key of a storage");
  const bool key_is_plain = std::all_of(storage.key.begin(), storage.key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  if (storage.key.empty() || storage.key.size() > kLimits.storage_key_bytes || !key_is_plain) {
    fail("the key of a storage is not a short name");
  }
  storage.is_meta = expect_text(items[3], "the location of a storage") == "meta";
  storage.numel = expect_int(items[4], "the length of a storage");
  if (storage.numel < 0 || storage.numel > INT64_MAX / 16) {
    fail(fmt::format("a storage of {} elements", storage.numel));
  }
  storage.view_numel = storage.numel;
  if (count == 6) storage = legacy_view(storage, items[5]);
  if (graph_.storages.size() >= 2 * kLimits.tensors) fail("the pickle refers to too many storages");
  graph_.storages.push_back(storage);
  return add(
      {.kind = ValueKind::kStorage, .index = static_cast<uint32_t>(graph_.storages.size() - 1)});
}

Storage Builder::legacy_view(Storage storage, ValueId view) const {
  if (graph_.is(view, ValueKind::kNone)) return storage;
  const std::span<const ValueId> items = tuple_items(view, "the view of a storage");
  if (items.size() != 3) fail("the view of a storage does not have 3 entries");
  if (expect_text(items[0], "the key of a view") == storage.key) {
    fail("a view of a storage has the key of the storage itself");
  }
  storage.view_offset = expect_int(items[1], "the offset of a view");
  storage.view_numel = expect_int(items[2], "the length of a view");
  if (storage.view_offset < 0 || storage.view_numel < 0 ||
      storage.view_offset > storage.numel - storage.view_numel) {
    fail(fmt::format("a view of {} elements at {} lies outside its storage of {}",
                     storage.view_numel, storage.view_offset, storage.numel));
  }
  return storage;
}

}  // namespace mrcnn::pth
