#include "tools/pth/state_dict.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "tools/pth/limits.h"

namespace mrcnn::pth {
namespace {

// Where training programs put the weights, most specific first: torchvision and detectron2, mmdet
// and Lightning, tutorials, pycls, exponential averages, and the wrappers of older scripts.
constexpr std::string_view kUsualKeys[] = {
    "model", "state_dict", "model_state_dict", "model_state", "model_ema", "ema", "net", "module"};
constexpr int kSearchDepth = 4;

bool is_tensor(const PickleGraph& graph, ValueId id) {
  return graph.is(id, ValueKind::kTensor) || graph.is(id, ValueKind::kArray);
}

// The last value of that name, as Python has it.
std::optional<ValueId> look_up(const PickleGraph& graph, ValueId dict, std::string_view name) {
  if (!graph.is(dict, ValueKind::kDict)) return std::nullopt;
  const std::span<const ValueId> items = graph.items(dict);
  for (size_t i = items.size(); i >= 2; i -= 2) {
    std::string_view key;
    if (graph.text(items[i - 2], key) && key == name) return items[i - 1];
  }
  return std::nullopt;
}

bool is_state_dict(const PickleGraph& graph, ValueId id) {
  if (!graph.is(id, ValueKind::kDict)) return false;
  const std::span<const ValueId> items = graph.items(id);
  size_t tensors = 0;
  for (size_t i = 1; i < items.size(); i += 2) tensors += is_tensor(graph, items[i]) ? 1 : 0;
  return tensors > 0 && 10 * tensors >= 9 * (items.size() / 2);
}

std::string keys_of(const PickleGraph& graph, ValueId dict) {
  std::string list;
  const std::span<const ValueId> items = graph.items(dict);
  for (size_t i = 0; i < std::min<size_t>(items.size(), 16); i += 2) {
    std::string_view key;
    if (!graph.text(items[i], key)) continue;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", key.substr(0, 64));
  }
  return list;
}

std::string describe(const PickleGraph& graph, ValueId id) {
  if (graph.is(id, ValueKind::kOpaque) || graph.is(id, ValueKind::kGlobal)) {
    return "a pickled object of type " + graph.global(id).full_name();
  }
  return std::string(value_kind_name(graph[id].kind));
}

ValueId search(const Checkpoint& checkpoint) {
  const PickleGraph& graph = checkpoint.graph;
  ValueId id = checkpoint.root;
  for (int depth = 0; depth < kSearchDepth; ++depth) {
    if (is_state_dict(graph, id)) return id;
    if (!graph.is(id, ValueKind::kDict)) break;
    std::optional<ValueId> inner;
    for (const std::string_view key : kUsualKeys) {
      const std::optional<ValueId> found = look_up(graph, id, key);
      if (found && graph.is(*found, ValueKind::kDict) && *found != id) inner = found;
      if (inner) break;
    }
    if (!inner) break;
    id = *inner;
  }
  const ValueId root = checkpoint.root;
  if (!graph.is(root, ValueKind::kDict)) {
    checkpoint.pickle.fail(
        fmt::format("holds {}, not a state dict; save the model's state_dict() "
                    "instead",
                    describe(graph, root)));
  }
  if (graph.items(root).empty()) checkpoint.pickle.fail("holds no tensors: the dict is empty");
  checkpoint.pickle.fail(
      fmt::format("no state dict found under the usual names; its keys are: {}; "
                  "say which with --key",
                  keys_of(graph, root)));
}

// "a.b" is the key "a.b", or "b" in "a": names with dots win, longest first.
ValueId follow_key(const Checkpoint& checkpoint, const std::string& key) {
  const PickleGraph& graph = checkpoint.graph;
  ValueId id = checkpoint.root;
  std::string_view rest = key;
  while (!rest.empty()) {
    size_t length = rest.size();
    std::optional<ValueId> found;
    while (!(found = look_up(graph, id, rest.substr(0, length)))) {
      const size_t dot = length == 0 ? rest.npos : rest.rfind('.', length - 1);
      if (dot == rest.npos || dot == 0) {
        const bool is_dict = graph.is(id, ValueKind::kDict);
        checkpoint.pickle.fail(fmt::format("--key {}: nothing called {} there{}", key, rest,
                                           is_dict ? "; its keys are: " + keys_of(graph, id) : ""));
      }
      length = dot;
    }
    id = *found;
    rest = length == rest.size() ? "" : rest.substr(length + 1);
  }
  return id;
}

void check_name(const Checkpoint& checkpoint, ValueId key, std::string_view name) {
  if (!simdjson::validate_utf8(name.data(), name.size())) {
    checkpoint.pickle.fail(checkpoint.graph[key].position, "the name of a tensor is not UTF-8");
  }
}

// A dict of a hostile file may have a key twice, and keys "0" and 0 give one path.
void check_paths_differ(const Checkpoint& checkpoint, const std::vector<NamedValue>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const NamedValue& tensor : tensors) {
    if (names.insert(tensor.name).second) continue;
    checkpoint.pickle.fail(checkpoint.graph[tensor.id].position,
                           fmt::format("tensor {} appears twice", tensor.name));
  }
}

}  // namespace

std::vector<NamedValue> find_state_dict(const Checkpoint& checkpoint, const std::string& key,
                                        const Warn& warn) {
  const PickleGraph& graph = checkpoint.graph;
  const ValueId dict = key.empty() ? search(checkpoint) : follow_key(checkpoint, key);
  if (!graph.is(dict, ValueKind::kDict)) {
    checkpoint.pickle.fail(
        fmt::format("--key {} is {}, not a dict of tensors", key, describe(graph, dict)));
  }
  std::vector<NamedValue> tensors;
  std::unordered_set<std::string_view> names;
  size_t ignored = 0;
  std::string example;
  const std::span<const ValueId> items = graph.items(dict);
  for (size_t i = 0; i < items.size(); i += 2) {
    std::string_view name;
    const bool is_named = graph.text(items[i], name);
    if (!is_named || !is_tensor(graph, items[i + 1])) {
      ++ignored;
      if (example.empty()) {
        example = fmt::format("{} is {}", is_named ? name.substr(0, 64) : "a key that is not text",
                              describe(graph, items[i + 1]));
      }
      continue;
    }
    check_name(checkpoint, items[i], name);
    if (!names.insert(name).second) {
      checkpoint.pickle.fail(graph[items[i]].position,
                             fmt::format("tensor {} appears twice", name));
    }
    tensors.push_back({std::string(name), items[i + 1]});
  }
  if (tensors.empty()) checkpoint.pickle.fail("holds no tensors");
  if (ignored > 0) {
    warn(fmt::format("{}: {} entries that are no tensors are ignored, for example {}",
                     checkpoint.pickle.path(), ignored, example));
  }
  return tensors;
}

std::vector<NamedValue> find_all_tensors(const Checkpoint& checkpoint) {
  const PickleGraph& graph = checkpoint.graph;
  struct Frame {
    ValueId id;
    std::string path;
    size_t next = 0;
  };
  std::vector<Frame> frames;
  std::unordered_set<ValueId> open;  // containers on the way down, to see cycles
  std::vector<NamedValue> tensors;
  size_t visited = 0;
  const auto enter = [&](ValueId id, std::string path) {
    if (++visited > kLimits.visited) checkpoint.pickle.fail("the object is too large to walk");
    if (is_tensor(graph, id)) tensors.push_back({std::move(path), id});
    const ValueKind kind = graph[id].kind;
    if (kind != ValueKind::kDict && kind != ValueKind::kList && kind != ValueKind::kTuple) return;
    if (frames.size() == kLimits.nesting || path.size() > kLimits.member_name_bytes) {
      checkpoint.pickle.fail(graph[id].position, "the object is nested too deeply");
    }
    if (!graph.items(id).empty() && !open.insert(id).second) {
      checkpoint.pickle.fail(graph[id].position, "the object contains itself");
    }
    frames.push_back({id, std::move(path)});
  };
  enter(checkpoint.root, "");
  while (!frames.empty()) {
    Frame& frame = frames.back();
    const std::span<const ValueId> items = graph.items(frame.id);
    if (frame.next >= items.size()) {
      open.erase(frame.id);
      frames.pop_back();
      continue;
    }
    const std::string prefix = frame.path.empty() ? "" : frame.path + "/";
    if (!graph.is(frame.id, ValueKind::kDict)) {
      const size_t index = frame.next++;
      enter(items[index], prefix + std::to_string(index));
      continue;
    }
    const ValueId key = items[frame.next];
    const ValueId value = items[frame.next + 1];
    frame.next += 2;
    std::string_view name;
    if (graph.text(key, name)) {
      check_name(checkpoint, key, name);
      enter(value, prefix + std::string(name));
    } else if (graph.is(key, ValueKind::kInt)) {
      enter(value, prefix + std::to_string(graph[key].number));
    }
  }
  if (tensors.empty()) checkpoint.pickle.fail("holds no tensors");
  check_paths_differ(checkpoint, tensors);
  return tensors;
}

}  // namespace mrcnn::pth
