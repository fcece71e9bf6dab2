#include "tools/pth/builder.h"

#include <fmt/format.h>

#include "tools/pth/limits.h"

namespace mrcnn::pth {

Builder::Builder(const Input& input, const PickleOptions& options, PickleGraph& graph)
    : input_(input), options_(options), graph_(graph) {
  // One object each, however often they are pushed.
  none_ = add({.kind = ValueKind::kNone});
  true_ = add({.kind = ValueKind::kBool, .number = 1});
  false_ = add({.kind = ValueKind::kBool, .number = 0});
  graph_.containers.emplace_back();
  empty_tuple_ = add(
      {.kind = ValueKind::kTuple, .index = static_cast<uint32_t>(graph_.containers.size() - 1)});
}

ValueId Builder::add(Value value) {
  if (graph_.values.size() >= kLimits.values) fail("the pickle holds too many objects");
  value.position = position_;
  graph_.values.push_back(value);
  return static_cast<ValueId>(graph_.values.size() - 1);
}

ValueId Builder::integer(int64_t value) { return add({.kind = ValueKind::kInt, .number = value}); }

ValueId Builder::real(double value) { return add({.kind = ValueKind::kDouble, .real = value}); }

ValueId Builder::text(ValueKind kind, std::string_view value) {
  return add({.kind = kind, .text = value});
}

ValueId Builder::container(ValueKind kind, std::vector<ValueId> items) {
  if (kind == ValueKind::kTuple && items.empty()) return empty_tuple_;
  graph_.num_items += items.size();
  if (graph_.num_items > kLimits.container_items) fail("the pickle's containers are too large");
  graph_.containers.push_back(std::move(items));
  return add({.kind = kind, .index = static_cast<uint32_t>(graph_.containers.size() - 1)});
}

ValueId Builder::global(std::string_view module, std::string_view name) {
  const auto is_odd = [](std::string_view text) {
    return text.empty() || text.size() > kLimits.global_name_bytes || text.find('\0') != text.npos;
  };
  if (is_odd(module) || is_odd(name)) fail("a name is empty, too long or holds a zero byte");
  const Global entry{module, name, meaning_of_global(module, name), position_};
  if (entry.meaning == Meaning::kDenied && options_.refuse_denied) {
    fail(
        fmt::format("contains the code-execution gadget {}; the file is not just weights and is "
                    "refused",
                    entry.full_name()));
  }
  graph_.globals.push_back(entry);
  return add(
      {.kind = ValueKind::kGlobal, .index = static_cast<uint32_t>(graph_.globals.size() - 1)});
}

ValueId Builder::opaque(ValueId callable) {
  // The value shares the entry of its name, so that a message can say what it is.
  return add({.kind = ValueKind::kOpaque, .index = graph_[callable].index});
}

void Builder::append(ValueId target, std::span<const ValueId> items) {
  if (graph_.is(target, ValueKind::kOpaque)) return;
  if (!graph_.is(target, ValueKind::kList)) {
    fail(fmt::format("items are appended to {}, which is no list",
                     value_kind_name(graph_[target].kind)));
  }
  graph_.num_items += items.size();
  if (graph_.num_items > kLimits.container_items) fail("the pickle's containers are too large");
  std::vector<ValueId>& list = graph_.containers[graph_[target].index];
  list.insert(list.end(), items.begin(), items.end());
}

void Builder::set_items(ValueId target, std::span<const ValueId> keys_and_values) {
  if (keys_and_values.size() % 2 != 0) fail("a dict gets a key without a value");
  if (graph_.is(target, ValueKind::kOpaque)) return;
  if (!graph_.is(target, ValueKind::kDict)) {
    fail(
        fmt::format("items are set in {}, which is no dict", value_kind_name(graph_[target].kind)));
  }
  graph_.num_items += keys_and_values.size();
  if (graph_.num_items > kLimits.container_items) fail("the pickle's containers are too large");
  std::vector<ValueId>& dict = graph_.containers[graph_[target].index];
  dict.insert(dict.end(), keys_and_values.begin(), keys_and_values.end());
}

ValueId Builder::reduce(ValueId callable, ValueId arguments) {
  if (!graph_.is(arguments, ValueKind::kTuple)) fail("the arguments of a call are not a tuple");
  if (graph_.is(callable, ValueKind::kOpaque)) return opaque(callable);
  if (!graph_.is(callable, ValueKind::kGlobal)) {
    fail(fmt::format("{} is called like a function", value_kind_name(graph_[callable].kind)));
  }
  // Copied: making values may move the tables that a view would point into.
  const std::span<const ValueId> view = graph_.items(arguments);
  const std::vector<ValueId> items(view.begin(), view.end());
  const Meaning meaning = graph_.global(callable).meaning;
  switch (meaning) {
    case Meaning::kDict:
      return make_dict(items);
    case Meaning::kSize:
      expect_count(items, 1, 1, "torch.Size");
      tuple_items(items[0], "the argument of torch.Size");
      return items[0];
    case Meaning::kEncodeLatin1:
      return encode_latin1(items);
    case Meaning::kNumpyDType:
      return make_dtype(items);
    case Meaning::kNumpyReconstruct:
      return new_array({});
    case Meaning::kNumpyFromBuffer:
      return array_from_buffer(items);
    case Meaning::kNumpyScalar:
      return numpy_scalar(items);
    case Meaning::kOpaque:
    case Meaning::kDenied:
    case Meaning::kStorageType:
    case Meaning::kTorchDType:
      return opaque(callable);
    default:
      return rebuild(meaning, callable, items);
  }
}

ValueId Builder::new_object(ValueId type, ValueId arguments) {
  if (!graph_.is(arguments, ValueKind::kTuple)) fail("the arguments of a class are not a tuple");
  if (!graph_.is(type, ValueKind::kGlobal)) {
    fail(fmt::format("an object of {} is made", value_kind_name(graph_[type].kind)));
  }
  const Meaning meaning = graph_.global(type).meaning;
  if (meaning == Meaning::kDict) return container(ValueKind::kDict, {});
  if (meaning == Meaning::kTensorClass) return new_tensor({});
  return opaque(type);
}

void Builder::build(ValueId target, ValueId state) {
  const std::vector<ValueId> items = [&] {
    if (!graph_.is(state, ValueKind::kTuple)) return std::vector<ValueId>();
    const std::span<const ValueId> view = graph_.items(state);
    return std::vector<ValueId>(view.begin(), view.end());
  }();
  switch (graph_[target].kind) {
    case ValueKind::kOpaque:
      return;
    case ValueKind::kDict:  // attributes of an OrderedDict, such as _metadata
      if (!graph_.is(state, ValueKind::kDict)) fail("the state of a dict is not a dict");
      return;
    case ValueKind::kTensor:
      return build_tensor(target, state);
    case ValueKind::kNumpyDType:
      return build_dtype(target, items);
    case ValueKind::kArray:
      return build_array(target, items);
    default:
      fail(fmt::format("state is given to {}", value_kind_name(graph_[target].kind)));
  }
}

void Builder::expect_count(Arguments arguments, size_t least, size_t most, const char* what) const {
  if (arguments.size() < least || arguments.size() > most) {
    fail(fmt::format("{} has {} arguments", what, arguments.size()));
  }
}

std::span<const ValueId> Builder::tuple_items(ValueId id, const char* what) const {
  if (!graph_.is(id, ValueKind::kTuple) && !graph_.is(id, ValueKind::kList)) {
    fail(fmt::format("{} is {}, not a tuple", what, value_kind_name(graph_[id].kind)));
  }
  return graph_.items(id);
}

int64_t Builder::expect_int(ValueId id, const char* what) const {
  if (!graph_.is(id, ValueKind::kInt)) {
    fail(fmt::format("{} is {}, not an integer", what, value_kind_name(graph_[id].kind)));
  }
  return graph_[id].number;
}

std::string_view Builder::expect_text(ValueId id, const char* what) const {
  std::string_view value;
  if (!graph_.text(id, value)) {
    fail(fmt::format("{} is {}, not a string", what, value_kind_name(graph_[id].kind)));
  }
  return value;
}

std::vector<int64_t> Builder::expect_sizes(ValueId id, const char* what) const {
  const std::span<const ValueId> items = tuple_items(id, what);
  if (items.size() > kLimits.rank) {
    fail(
        fmt::format("{} has {} entries; at most {} are allowed", what, items.size(), kLimits.rank));
  }
  std::vector<int64_t> sizes;
  for (const ValueId item : items) {
    const int64_t size = expect_int(item, what);
    if (size < 0) fail(fmt::format("{} holds {}", what, size));
    sizes.push_back(size);
  }
  return sizes;
}

// dict() or dict([(key, value), ...]).
ValueId Builder::make_dict(Arguments arguments) {
  std::vector<ValueId> items;
  // A defaultdict's only argument is the function that makes missing values.
  if (!arguments.empty() && !graph_.is(arguments[0], ValueKind::kGlobal)) {
    expect_count(arguments, 1, 1, "a dict");
    const std::span<const ValueId> pairs = tuple_items(arguments[0], "the content of a dict");
    if (graph_.num_items + 2 * pairs.size() > kLimits.container_items) {
      fail("the pickle's containers are too large");
    }
    for (const ValueId pair : pairs) {
      const std::span<const ValueId> entry = tuple_items(pair, "an entry of a dict");
      if (entry.size() != 2) fail("an entry of a dict is not a pair");
      items.insert(items.end(), entry.begin(), entry.end());
    }
  }
  return container(ValueKind::kDict, std::move(items));
}

// Bytes that protocol 2 could only write as text: every character is one byte.
ValueId Builder::encode_latin1(Arguments arguments) {
  expect_count(arguments, 1, 2, "_codecs.encode");
  const std::string_view source = expect_text(arguments[0], "the text to encode");
  if (arguments.size() == 2 && expect_text(arguments[1], "the encoding") != "latin1") {
    fail("bytes are encoded as something else than latin1");
  }
  if (graph_.kept_bytes + source.size() > input_.bytes().size() + 1024) {
    fail("the same text is encoded again and again");
  }
  std::string bytes;
  bytes.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    const auto lead = static_cast<unsigned char>(source[i]);
    if (lead < 0x80) {
      bytes += static_cast<char>(lead);
      continue;
    }
    const bool has_next = i + 1 < source.size();
    const auto next = has_next ? static_cast<unsigned char>(source[i + 1]) : 0U;
    if ((lead != 0xc2 && lead != 0xc3) || (next & 0xc0U) != 0x80) {
      fail("text that stands for bytes holds a character above 255");
    }
    bytes += static_cast<char>(((lead & 3U) << 6) | (next & 0x3fU));
    ++i;
  }
  return text(ValueKind::kBytes, graph_.keep(std::move(bytes)));
}

}  // namespace mrcnn::pth
