#include "tools/pth/extract.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tools/pth/limits.h"

namespace mrcnn::pth {
namespace {

// A strided view of a buffer, in elements.
struct View {
  std::string name;
  uint64_t position = 0;  // for messages
  const ElementType* type = nullptr;
  std::span<const std::byte> buffer;
  bool swap = false;  // the buffer is big-endian
  int64_t offset = 0;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
  int64_t count = 0;
};

bool is_contiguous(const View& view) {
  int64_t expected = 1;
  for (size_t i = view.sizes.size(); i-- > 0;) {
    if (view.sizes[i] != 1 && view.strides[i] != expected) return false;
    expected *= view.sizes[i];
  }
  return true;
}

template <size_t kBytes>
void gather_bytes(const View& view, std::byte* target) {
  const size_t rank = view.sizes.size();
  const int64_t inner = rank == 0 ? 1 : view.sizes[rank - 1];
  const int64_t inner_stride = rank == 0 ? 0 : view.strides[rank - 1];
  std::vector<int64_t> index(rank, 0);
  int64_t row = view.offset;
  for (int64_t done = 0; done < view.count; done += inner) {
    const std::byte* source = view.buffer.data() + row * int64_t{kBytes};
    for (int64_t i = 0; i < inner; ++i, target += kBytes) {
      std::memcpy(target, source + i * inner_stride * int64_t{kBytes}, kBytes);
      if (view.swap) std::reverse(target, target + kBytes);
    }
    for (size_t axis = rank < 2 ? 0 : rank - 1; axis-- > 0;) {
      row += view.strides[axis];
      if (++index[axis] < view.sizes[axis]) break;
      row -= view.sizes[axis] * view.strides[axis];
      index[axis] = 0;
    }
  }
}

void gather(const View& view, std::byte* target) {
  switch (view.type->bytes) {
    case 1:
      return gather_bytes<1>(view, target);
    case 2:
      return gather_bytes<2>(view, target);
    case 4:
      return gather_bytes<4>(view, target);
    default:
      return gather_bytes<8>(view, target);
  }
}

class Extractor {
 public:
  explicit Extractor(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), graph_(checkpoint.graph) {}

  TensorArchive run(const std::vector<NamedValue>& wanted) {
    std::vector<View> views;
    for (const NamedValue& value : wanted) views.push_back(describe(value));
    load_storages(wanted, views);
    TensorArchive archive;
    for (View& view : views) archive.tensors.push_back(materialise(view, archive));
    return archive;
  }

 private:
  [[noreturn]] void fail(const View& view, const std::string& problem) const {
    checkpoint_.pickle.fail(view.position, fmt::format("tensor {}: {}", view.name, problem));
  }

  View describe(const NamedValue& value) {
    View view;
    view.name = value.name;
    view.position = graph_[value.id].position;
    const uint32_t index = graph_[value.id].index;
    int64_t available = 0;
    if (graph_.is(value.id, ValueKind::kTensor)) {
      const TensorInfo& tensor = graph_.tensors[index];
      if (!tensor.is_built) fail(view, "was never given its data");
      available = describe_tensor(tensor, view);
    } else {
      const ArrayInfo& array = graph_.arrays[index];
      if (!array.is_built) fail(view, "is a NumPy array of objects");
      if (array.dtype.type == nullptr) fail(view, "is a NumPy array of an unsupported type");
      available = describe_array(array, view);
    }
    if (!view.type->file_dtype) {
      fail(view, fmt::format("has type {}, which no model here uses", view.type->name));
    }
    check_geometry(view, available);
    return view;
  }

  int64_t describe_tensor(const TensorInfo& tensor, View& view) const {
    const Storage& storage = graph_.storages[tensor.storage];
    if (storage.is_meta) fail(view, "was saved without data (device \"meta\")");
    view.type = tensor.type;
    view.swap = checkpoint_.is_big_endian && tensor.type->bytes > 1;
    view.sizes = tensor.sizes;
    view.strides = tensor.strides;
    // Offsets count the tensor's elements, lengths the storage's: they differ over untyped bytes.
    const int64_t ratio = tensor.type->bytes / storage.type->bytes;
    if (ratio == 0 || (ratio > 1 && storage.type->bytes != 1)) {
      fail(view, fmt::format("of type {} lies in a storage of {}", tensor.type->name,
                             storage.type->name));
    }
    if (storage.view_offset % ratio != 0) fail(view, "lies across elements of its storage");
    const int64_t start = storage.view_offset / ratio;
    const int64_t available = start + storage.view_numel / ratio;
    if (tensor.offset > available - start) {
      fail(view, fmt::format("begins at element {} of a storage of {}", tensor.offset,
                             available - start));
    }
    view.offset = start + tensor.offset;
    return available;
  }

  int64_t describe_array(const ArrayInfo& array, View& view) const {
    view.type = array.dtype.type;
    view.swap = array.dtype.is_big_endian && view.type->bytes > 1;
    view.sizes = array.sizes;
    view.strides.resize(array.sizes.size());
    int64_t stride = 1;
    bool overflow = false;
    for (size_t i = 0; i < array.sizes.size(); ++i) {
      const size_t axis = array.is_fortran ? i : array.sizes.size() - 1 - i;
      view.strides[axis] = stride;
      overflow |= __builtin_mul_overflow(stride, std::max<int64_t>(array.sizes[axis], 1), &stride);
    }
    view.buffer = std::as_bytes(std::span(array.data));
    const bool is_empty = std::find(array.sizes.begin(), array.sizes.end(), 0) != array.sizes.end();
    int64_t wanted = is_empty ? 0 : stride;
    overflow |= __builtin_mul_overflow(wanted, view.type->bytes, &wanted);
    if (overflow || wanted != static_cast<int64_t>(array.data.size())) {
      fail(view, fmt::format("[{}] {} does not fit its {} bytes of data",
                             fmt::join(array.sizes, ","), view.type->name, array.data.size()));
    }
    return static_cast<int64_t>(array.data.size()) / view.type->bytes;
  }

  // The last element lies before `available`; the tensor is not absurdly larger than its storage.
  void check_geometry(View& view, int64_t available) {
    view.count = 1;
    int64_t last = view.offset;
    bool overflow = false;
    for (size_t i = 0; i < view.sizes.size(); ++i) {
      overflow |= __builtin_mul_overflow(view.count, view.sizes[i], &view.count);
      int64_t reach = 0;
      overflow |= __builtin_mul_overflow(view.sizes[i] - 1, view.strides[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
    }
    // A zero among the sizes makes the tensor empty, whatever the others say.
    if (std::find(view.sizes.begin(), view.sizes.end(), 0) != view.sizes.end()) {
      view.count = 0;
      return;
    }
    int64_t bytes = 0;
    overflow |= __builtin_mul_overflow(view.count, view.type->bytes, &bytes);
    if (overflow) fail(view, "its size overflows");
    if (last >= available) {
      fail(view, fmt::format("[{}] reaches element {} of a storage of {}",
                             fmt::join(view.sizes, ","), last, available));
    }
    const auto size = static_cast<uint64_t>(bytes);
    if (view.count > available && size > kLimits.expanded_free_bytes) {
      fail(view, fmt::format("expands {} elements to {} bytes", available, bytes));
    }
    total_bytes_ += size;
    if (total_bytes_ > kLimits.total_ratio * checkpoint_.file_bytes + kLimits.expanded_free_bytes) {
      fail(view, "the tensors together are far larger than the file");
    }
  }

  void load_storages(const std::vector<NamedValue>& wanted, std::vector<View>& views) {
    std::unordered_map<std::string_view, size_t> slots;
    std::vector<std::string_view> keys;
    std::vector<const Storage*> storages;
    const auto storage_of = [&](const NamedValue& value) {
      const bool is_tensor = graph_.is(value.id, ValueKind::kTensor);
      return is_tensor ? &graph_.storages[graph_.tensors[graph_[value.id].index].storage] : nullptr;
    };
    for (const NamedValue& value : wanted) {
      const Storage* storage = storage_of(value);
      if (storage == nullptr || !slots.emplace(storage->key, keys.size()).second) continue;
      keys.push_back(storage->key);
      storages.push_back(storage);
    }
    if (keys.empty()) return;
    const std::vector<std::span<const std::byte>> buffers = checkpoint_.storages->load(keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      const int64_t expected = storages[i]->numel * storages[i]->type->bytes;
      if (static_cast<int64_t>(buffers[i].size()) != expected) {
        checkpoint_.pickle.fail(fmt::format("storage {} has {} bytes, but {} x {} takes {}",
                                            keys[i], buffers[i].size(), storages[i]->numel,
                                            storages[i]->type->name, expected));
      }
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      const Storage* storage = storage_of(wanted[i]);
      if (storage != nullptr) views[i].buffer = buffers[slots.at(storage->key)];
    }
  }

  FileTensor materialise(const View& view, TensorArchive& archive) const {
    FileTensor tensor;
    tensor.name = view.name;
    tensor.dtype = *view.type->file_dtype;
    tensor.shape = view.sizes;
    const auto size = static_cast<size_t>(view.count * view.type->bytes);
    if (view.count == 0) return tensor;
    if (!view.swap && is_contiguous(view)) {
      tensor.bytes = view.buffer.subspan(static_cast<size_t>(view.offset * view.type->bytes), size);
      return tensor;
    }
    const auto copy = std::make_shared_for_overwrite<std::byte[]>(size);
    gather(view, copy.get());
    tensor.bytes = {copy.get(), size};
    archive.owners.push_back(copy);
    return tensor;
  }

  const Checkpoint& checkpoint_;
  const PickleGraph& graph_;
  uint64_t total_bytes_ = 0;
};

}  // namespace

TensorArchive extract_tensors(const std::shared_ptr<const Checkpoint>& checkpoint,
                              const std::vector<NamedValue>& wanted) {
  TensorArchive archive = Extractor(*checkpoint).run(wanted);
  archive.owners.push_back(checkpoint);
  return archive;
}

}  // namespace mrcnn::pth
