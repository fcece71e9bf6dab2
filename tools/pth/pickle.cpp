#include "tools/pth/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <unordered_map>

#include "tools/pth/builder.h"
#include "tools/pth/limits.h"
#include "tools/pth/opcode.h"

namespace mrcnn::pth {
namespace {

constexpr size_t kNumberLine = 64;        // the longest decimal number
constexpr size_t kTextLine = 64U << 20U;  // text of protocol 0

class Machine {
 public:
  Machine(const Input& input, uint64_t begin, const PickleOptions& options, PickleGraph& graph)
      : cursor_(input, begin), make_(input, options, graph), graph_(graph) {}

  PickleResult run() {
    for (int64_t count = 0;; ++count) {
      make_.set_position(cursor_.position());
      if (count == kLimits.opcodes) make_.fail("the pickle has too many opcodes");
      const auto op = static_cast<Op>(cursor_.number<uint8_t>());
      if (op == Op::kStop) return finish();
      const bool known = run_number(op) || run_text(op) || run_container(op) || run_memo(op) ||
                         run_object(op) || run_stack(op);
      if (!known) {
        make_.fail(fmt::format("opcode 0x{:02x} is not allowed in a weight file",
                               static_cast<unsigned>(op)));
      }
    }
  }

 private:
  PickleResult finish() {
    if (stack_.size() != 1 || !marks_.empty()) {
      make_.fail(
          fmt::format("the pickle ends with {} values on its stack instead of 1", stack_.size()));
    }
    return {stack_[0], cursor_.position()};
  }

  // The part of the stack above the innermost mark.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(ValueId id) {
    if (stack_.size() == kLimits.stack) make_.fail("the stack grows past its limit");
    stack_.push_back(id);
  }
  ValueId top() const {
    if (stack_.size() <= floor()) make_.fail("the stack has too few values");
    return stack_.back();
  }
  ValueId pop() {
    const ValueId id = top();
    stack_.pop_back();
    return id;
  }
  std::vector<ValueId> pop_count(size_t count) {
    if (stack_.size() < floor() + count) make_.fail("the stack has too few values");
    const auto first = stack_.end() - static_cast<ptrdiff_t>(count);
    std::vector<ValueId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
  }
  std::vector<ValueId> pop_to_mark() {
    if (marks_.empty()) make_.fail("there is no mark on the stack");
    std::vector<ValueId> items = pop_count(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  bool run_stack(Op op) {
    switch (op) {
      case Op::kProto:
        if (const auto version = cursor_.number<uint8_t>(); version > 5) {
          make_.fail(fmt::format("pickle protocol {} is unknown", version));
        }
        return true;
      case Op::kFrame:
        if (cursor_.number<uint64_t>() > cursor_.remaining()) {
          make_.fail("a frame reaches past the end; the file is incomplete");
        }
        return true;
      case Op::kMark:
        if (marks_.size() == kLimits.marks) make_.fail("marks are nested too deeply");
        marks_.push_back(stack_.size());
        return true;
      case Op::kPop:
        pop();
        return true;
      case Op::kPopMark:
        pop_to_mark();
        return true;
      case Op::kDup:
        push(top());
        return true;
      default:
        return false;
    }
  }

  bool run_number(Op op) {
    switch (op) {
      case Op::kNone:
        push(make_.none());
        return true;
      case Op::kNewTrue:
      case Op::kNewFalse:
        push(make_.boolean(op == Op::kNewTrue));
        return true;
      case Op::kBinInt:
        push(make_.integer(cursor_.number<int32_t>()));
        return true;
      case Op::kBinInt1:
        push(make_.integer(cursor_.number<uint8_t>()));
        return true;
      case Op::kBinInt2:
        push(make_.integer(cursor_.number<uint16_t>()));
        return true;
      case Op::kLong1:
        push(make_.integer(long_bytes()));
        return true;
      case Op::kInt:
      case Op::kLong:
        push(number_line());
        return true;
      case Op::kFloat:
        push(make_.real(parse<double>(cursor_.line(kNumberLine))));
        return true;
      case Op::kBinFloat:
        push(make_.real(std::bit_cast<double>(__builtin_bswap64(cursor_.number<uint64_t>()))));
        return true;
      default:
        return false;
    }
  }

  int64_t long_bytes() {
    const std::span<const std::byte> bytes = cursor_.take(cursor_.number<uint8_t>());
    if (bytes.size() > 8) make_.fail("an integer does not fit 64 bits");
    const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
    uint64_t value = negative ? ~uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return static_cast<int64_t>(value);
  }

  ValueId number_line() {
    std::string_view line = cursor_.line(kNumberLine);
    if (line == "00" || line == "01") return make_.boolean(line == "01");
    if (line.ends_with('L')) line.remove_suffix(1);
    return make_.integer(parse<int64_t>(line));
  }

  template <typename T>
  T parse(std::string_view line) const {
    T value{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc() || end != line.data() + line.size()) {
      make_.fail("a number written as text cannot be read");
    }
    return value;
  }

  template <typename Length>
  std::string_view counted() {
    return as_text(cursor_.take(static_cast<uint64_t>(cursor_.number<Length>())));
  }

  bool run_text(Op op) {
    switch (op) {
      case Op::kBinUnicode:
        push(make_.text(ValueKind::kText, counted<uint32_t>()));
        return true;
      case Op::kShortBinUnicode:
        push(make_.text(ValueKind::kText, counted<uint8_t>()));
        return true;
      case Op::kBinUnicode8:
        push(make_.text(ValueKind::kText, counted<uint64_t>()));
        return true;
      case Op::kBinBytes:
      case Op::kBinString:  // its length is signed: a negative one is past the end as well
        push(make_.text(ValueKind::kBytes, counted<uint32_t>()));
        return true;
      case Op::kShortBinBytes:
      case Op::kShortBinString:
        push(make_.text(ValueKind::kBytes, counted<uint8_t>()));
        return true;
      case Op::kBinBytes8:
      case Op::kByteArray8:
        push(make_.text(ValueKind::kBytes, counted<uint64_t>()));
        return true;
      case Op::kUnicode:
      case Op::kString:
        push(text_line(op));
        return true;
      default:
        return false;
    }
  }

  // Text of protocol 0. Only what needs no unescaping: names and paths as programs write them.
  ValueId text_line(Op op) {
    std::string_view line = cursor_.line(kTextLine);
    if (line.find('\\') != line.npos) make_.fail("escapes in text of protocol 0 are not supported");
    if (op == Op::kUnicode) return make_.text(ValueKind::kText, line);
    const bool is_quoted = line.size() >= 2 && (line.front() == '\'' || line.front() == '"') &&
                           line.back() == line.front();
    if (!is_quoted) make_.fail("a string of protocol 0 is not quoted");
    return make_.text(ValueKind::kBytes, line.substr(1, line.size() - 2));
  }

  bool run_container(Op op) {
    switch (op) {
      case Op::kEmptyTuple:
        push(make_.container(ValueKind::kTuple, {}));
        return true;
      case Op::kTuple:
        push(make_.container(ValueKind::kTuple, pop_to_mark()));
        return true;
      case Op::kTuple1:
      case Op::kTuple2:
      case Op::kTuple3: {
        const size_t count = static_cast<size_t>(op) - static_cast<size_t>(Op::kTuple1) + 1;
        push(make_.container(ValueKind::kTuple, pop_count(count)));
        return true;
      }
      case Op::kEmptyList:
        push(make_.container(ValueKind::kList, {}));
        return true;
      case Op::kList:
        push(make_.container(ValueKind::kList, pop_to_mark()));
        return true;
      case Op::kEmptyDict:
        push(make_.container(ValueKind::kDict, {}));
        return true;
      case Op::kDict: {
        const std::vector<ValueId> items = pop_to_mark();
        push(make_.container(ValueKind::kDict, {}));
        make_.set_items(top(), items);
        return true;
      }
      case Op::kAppend:
      case Op::kAppends: {
        const std::vector<ValueId> items = op == Op::kAppend ? pop_count(1) : pop_to_mark();
        make_.append(top(), items);
        return true;
      }
      case Op::kSetItem:
      case Op::kSetItems: {
        const std::vector<ValueId> items = op == Op::kSetItem ? pop_count(2) : pop_to_mark();
        make_.set_items(top(), items);
        return true;
      }
      default:
        return false;
    }
  }

  void store(uint64_t index) {
    if (memo_.size() == kLimits.memo) make_.fail("the memo grows past its limit");
    memo_[index] = top();
  }
  void recall(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) make_.fail(fmt::format("memo entry {} was never stored", index));
    push(found->second);
  }

  bool run_memo(Op op) {
    switch (op) {
      case Op::kBinPut:
        store(cursor_.number<uint8_t>());
        return true;
      case Op::kLongBinPut:
        store(cursor_.number<uint32_t>());
        return true;
      case Op::kPut:
        store(parse<uint64_t>(cursor_.line(kNumberLine)));
        return true;
      case Op::kMemoize:
        store(memo_.size());
        return true;
      case Op::kBinGet:
        recall(cursor_.number<uint8_t>());
        return true;
      case Op::kLongBinGet:
        recall(cursor_.number<uint32_t>());
        return true;
      case Op::kGet:
        recall(parse<uint64_t>(cursor_.line(kNumberLine)));
        return true;
      default:
        return false;
    }
  }

  bool run_object(Op op) {
    switch (op) {
      case Op::kGlobal: {
        const std::string_view module = cursor_.line(kLimits.global_name_bytes);
        push(make_.global(module, cursor_.line(kLimits.global_name_bytes)));
        return true;
      }
      case Op::kStackGlobal: {
        const std::vector<ValueId> names = pop_count(2);
        std::string_view module, name;
        if (!graph_.text(names[0], module) || !graph_.text(names[1], name)) {
          make_.fail("a name is not made of strings");
        }
        push(make_.global(module, name));
        return true;
      }
      case Op::kReduce: {
        const std::vector<ValueId> call = pop_count(2);
        push(make_.reduce(call[0], call[1]));
        return true;
      }
      case Op::kNewObj: {
        const std::vector<ValueId> call = pop_count(2);
        push(make_.new_object(call[0], call[1]));
        return true;
      }
      case Op::kBuild: {
        const ValueId state = pop();
        make_.build(top(), state);
        return true;
      }
      case Op::kBinPersId:
        push(make_.storage_reference(pop()));
        return true;
      default:
        return false;
    }
  }

  Cursor cursor_;
  Builder make_;
  PickleGraph& graph_;
  std::vector<ValueId> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::unordered_map<uint64_t, ValueId> memo_;
};

}  // namespace

PickleResult read_pickle(const Input& input, uint64_t begin, const PickleOptions& options,
                         PickleGraph& graph) {
  return Machine(input, begin, options, graph).run();
}

}  // namespace mrcnn::pth
