// Pickles that attack, lie or are broken.
#include <doctest/doctest.h>

#include "tests/tools/pth/maker.h"

namespace mrcnn::test {
namespace {

const std::string kMark = "(";

std::string repeat(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string call(const std::string& function, const std::string& arguments) {
  return function + arguments + "R";
}

std::string rebuild(const std::string& arguments) {
  return dict({{"w", call(global("torch._utils", "_rebuild_tensor_v2"), arguments)}});
}

std::vector<HostileCase> hostile_pickles() {
  const std::string stack_global = std::string("\x80\x04") + str("builtins") + str("eval") + "\x93";
  return {
      {"os.system", checkpoint(call(global("os", "system"), "(" + str("id") + "t")),
       "gadget os.system"},
      {"eval by protocol 4", checkpoint(stack_global), "gadget builtins.eval"},
      {"posix", checkpoint(global("posix", "system")), "gadget posix.system"},
      {"nested pickle", checkpoint(global("pickle", "loads")), "gadget pickle.loads"},
      {"torch.load", checkpoint(global("torch", "load")), "gadget torch.load"},
      {"submodule of a denied one", checkpoint(global("os.path", "join")), "gadget os.path.join"},
      {"INST", checkpoint("(S'id'\nios\nsystem\n"), "opcode 0x69"},
      {"OBJ", checkpoint("(" + global("a", "b") + "o"), "opcode 0x6f"},
      {"NEWOBJ_EX", checkpoint(global("a", "b") + ")}\x92"), "opcode 0x92"},
      {"EXT1", checkpoint("\x82\x01"), "opcode 0x82"},
      {"PERSID", checkpoint("Pid\n"), "opcode 0x50"},
      {"opaque object instead of a dict", checkpoint(call(global("a.b", "C"), ")")),
       "of type a.b.C, not a state dict"},
      {"item set in a list", checkpoint("]" + num(1) + num(2) + "s"), "a list, which is no dict"},
      {"item set in a tensor", checkpoint(kGoodTensor + num(1) + num(2) + "s"), "a tensor, which"},
      {"item set in an integer", checkpoint(num(1) + num(1) + num(2) + "s"), "an integer, which"},
      {"append to a dict", checkpoint("}(" + num(1) + "e"), "a dict, which is no list"},
      {"odd number of items", checkpoint("}(" + num(1) + "u"), "key without a value"},
      {"state of an integer", checkpoint(num(1) + "}b"), "state is given to an integer"},
      {"tuple as state of a dict", checkpoint("})b"), "state of a dict"},
      {"memo never stored", checkpoint("h\x05"), "memo entry 5"},
      {"tuple without mark", checkpoint("t"), "no mark"},
      {"pop of nothing", checkpoint("0"), "too few values"},
      {"pop past a mark", checkpoint(num(1) + "(0"), "too few values"},
      {"many marks", checkpoint(repeat("(", 20000)), "nested too deeply"},
      {"text past the end", checkpoint("X\xff\xff\xff\xff"), "bytes are needed"},
      {"bytes past the end", checkpoint("\x8e" + little(uint64_t{1} << 63)), "bytes are needed"},
      {"negative length", checkpoint("T" + little(int32_t{-1})), "bytes are needed"},
      {"255-byte integer", checkpoint("\x8a\xff" + std::string(255, 'x')), "does not fit 64 bits"},
      {"frame past the end", checkpoint("\x95" + little(uint64_t{1} << 40)), "frame reaches past"},
      {"no end",
       zip({{.name = "a/data.pkl", .data = "\x80\x02}"}, {.name = "a/version", .data = "3"}}),
       "bytes are needed"},
      {"protocol 9", checkpoint("\x80\x09}"), "protocol 9"},
      {"name without line feed", checkpoint("cos"), "incomplete"},
      {"name too long", checkpoint("c" + std::string(1 << 20, 'x') + "\ny\n"), "longer than"},
      {"name with zero byte", checkpoint(global(std::string("o\0s", 3), "x")), "zero byte"},
      {"two values left", checkpoint(num(1) + num(2)), "2 values"},
      {"name twice", checkpoint(dict({{"w", kGoodTensor}, {"w", kGoodTensor}})), "w appears twice"},
      {"name not UTF-8", checkpoint(dict({{"\xed\xa0\x80", kGoodTensor}})), "not UTF-8"},
      {"empty dict", checkpoint("}"), "no tensors"},
      {"list", checkpoint("]"), "a list, not a state dict"},
      {"number", checkpoint(num(7)), "an integer, not a state dict"},
      {"no state dict", checkpoint(dict({{"epoch", num(1)}, {"lr", num(2)}})),
       "keys are: epoch, lr"},
      {"3 arguments", checkpoint(rebuild("(" + storage({}) + num(0) + tuple({6}) + "t")),
       "has 3 arguments"},
      {"8 arguments", checkpoint(rebuild("(" + repeat(num(1), 8) + "t")), "has 8 arguments"},
      {"arguments no tuple", checkpoint(rebuild(num(1))), "not a tuple"},
      {"number as storage", checkpoint(rebuild("(" + repeat(num(1), 6) + "t")),
       "an integer instead of a storage"},
      {"tensor as storage", checkpoint(dict({{"w", tensor_of(kGoodTensor, 0, {6}, {1})}})),
       "a tensor instead of"},
      {"integer called", checkpoint(num(1) + ")R"), "called like a function"},
      {"never filled",
       checkpoint(dict({{"w", global("torch.nn.parameter", "Parameter") + ")\x81"}})),
       "never given its data"},
      {"whole module",
       checkpoint("(" + str("module") + global("a", "B") + str("") + str("") + num(0) + "tQ"),
       "state_dict()"},
  };
}

TEST_CASE("Rejects pickles that attack or lie, and says why") {
  for (const HostileCase& hostile : hostile_pickles()) {
    const std::string result = outcome(hostile.bytes);
    INFO(hostile.name, ": ", result);
    CHECK(result.find(hostile.message) != std::string::npos);
  }
}

TEST_CASE("What follows the end of the pickle is never read") {
  std::vector<Member> members = checkpoint_members(kGoodBody);
  members[0].data += global("os", "system");
  CHECK(outcome(zip(members)) == "OK");
}

TEST_CASE("Nesting, sharing and cycles cost nothing special") {
  // Nearly a million nested lists: refused only because they are no weights, and freed without
  // recursion.
  CHECK(outcome(checkpoint(repeat("]", 900000) + repeat("a", 899999))).find("a list, not") !=
        std::string::npos);
  // 2^40 leaves if expanded.
  const std::string laughs = num(1) + repeat("2\x86", 40);
  const std::string body = dict({{"model", kGoodBody}, {"laughs", laughs}});
  CHECK(outcome(checkpoint(body)) == "OK");
  CHECK(outcome(checkpoint(body), {.whole_object = true}).find("too large") != std::string::npos);
  const std::string cycle = "}q\x01" + str("model") + "h\x01s";
  CHECK(outcome(checkpoint(cycle)).find("no state dict") != std::string::npos);
  CHECK(outcome(checkpoint(cycle), {.whole_object = true}).find("contains itself") !=
        std::string::npos);
  const std::string twice = dict({{"w", kGoodTensor}, {"w", kGoodTensor}});
  CHECK(outcome(checkpoint(twice), {.whole_object = true}).find("w appears twice") !=
        std::string::npos);
}

TEST_CASE("A large memo index takes no memory") {
  CHECK(outcome(checkpoint(kGoodBody + "r\xff\xff\xff\xff")) == "OK");
}

TEST_CASE("Unknown objects off the path to the weights are kept out of the way") {
  const std::string gadget_chain = call(global("builtins", "getattr"),
                                        "(" + call(global("some", "thing"), ")") + str("x") + "t");
  const std::string counter = call(global("collections", "Counter"), "(}t") + "(u";
  const std::string names = global("argparse", "Namespace") + ")\x81}b";
  CHECK(outcome(checkpoint(dict(
            {{"model", kGoodBody}, {"x", gadget_chain}, {"counter", counter}, {"args", names}}))) ==
        "OK");
}

TEST_CASE("Entries that are no tensors are reported and left out") {
  std::string warning;
  const ReadOptions options{.warn = [&](const std::string& text) { warning = text; }};
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 19; ++i) items.emplace_back("w" + std::to_string(i), kGoodTensor);
  items.emplace_back("extra_state", num(5));
  const TensorArchive archive = parse_weights(as_file(checkpoint(dict(items))), "t.pth", options);
  CHECK(archive.tensors.size() == 19);
  CHECK(warning.find("extra_state is an integer") != std::string::npos);
}

TEST_CASE("Finds the weights in training checkpoints") {
  const auto names = [](const std::string& body, const ReadOptions& options = {}) {
    std::string all;
    const TensorArchive archive = parse_weights(as_file(checkpoint(body)), "t.pth", options);
    for (const FileTensor& tensor : archive.tensors) all += tensor.name + " ";
    return all;
  };
  const std::string wrapped =
      dict({{"module.model.a.w", kGoodTensor}, {"module.model.b", kGoodTensor}});
  CHECK(names(wrapped) == "a.w b ");
  CHECK(names(dict({{"state_dict", wrapped}, {"epoch", num(1)}})) == "a.w b ");
  CHECK(names(dict({{"epoch", num(1)}, {"model", dict({{"state_dict", wrapped}})}})) == "a.w b ");
  // A prefix that is not on every name is part of the name.
  CHECK(names(dict({{"module.a", kGoodTensor}, {"b", kGoodTensor}})) == "module.a b ");
  const std::string keyed = dict({{"e", num(1)}, {"ema.x", dict({{"s.t", kGoodBody}})}});
  CHECK(names(keyed, {.key = "ema.x.s.t"}) == "w ");
  CHECK(outcome(checkpoint(keyed), {.key = "ema.y"}).find("nothing called ema.y") !=
        std::string::npos);
  CHECK(names(dict({{"model", kGoodBody}, {"opt", "](" + kGoodTensor + "e"}}),
              {.whole_object = true}) == "model/w opt/0 ");
}

TEST_CASE("Reads the pickles of old and new PyTorch") {
  const std::string parameter =
      global("torch._utils", "_rebuild_parameter") + "(" + kGoodTensor + "\x88" + kHooks + "tR";
  const std::string old_parameter = global("torch.nn.parameter", "Parameter") + ")\x81(" +
                                    kGoodTensor + "N" + kHooks + "\x88\x89tb";
  const std::string old_tensor = global("torch", "FloatTensor") + ")R(" + storage({}) + num(0) +
                                 tuple({2, 3}) + tuple({3, 1}) + "tb";
  const std::string untyped = "(" + str("storage") + global("torch.storage", "UntypedStorage") +
                              str("0") + str("cpu") + num(24) + "tQ";
  const std::string version3 = global("torch._utils", "_rebuild_tensor_v3") + "(" + untyped +
                               num(1) + tuple({5}) + tuple({1}) + "\x89" + kHooks +
                               global("torch", "uint32") + "tR";
  const std::string subclass = global("torch._tensor", "_rebuild_from_type_v2") + "(" +
                               global("torch._utils", "_rebuild_tensor_v2") +
                               global("my", "Tensor") + "(" + storage({}) + num(0) + tuple({6}) +
                               tuple({1}) + "\x89" + kHooks + "t}tR";
  for (const std::string& tensor : {parameter, old_parameter, old_tensor, subclass, version3}) {
    const std::string file = checkpoint(dict({{"w", tensor}}));
    CHECK(outcome(file) == "OK");
  }
  const TensorArchive archive =
      parse_weights(as_file(checkpoint(dict({{"w", version3}}))), "t.pth");
  CHECK(archive.tensors[0].dtype == FileDType::kU32);
  CHECK(archive.tensors[0].bytes.size() == 20);
}

TEST_CASE("Lists the names that a pickle refers to, the evil ones too") {
  const std::string path = "pickled_names_test.pth";
  {
    AtomicFile file(path);
    const std::string bytes = checkpoint(dict({{"w", kGoodTensor}, {"x", global("os", "system")}}));
    file.write(std::as_bytes(std::span(bytes)));
    file.commit();
  }
  const std::vector<PickledName> names = list_pickled_names(path);
  REQUIRE(names.size() == 4);
  CHECK(names[0].name == "torch._utils._rebuild_tensor_v2");
  CHECK(names[3].name == "os.system");
  CHECK(names[3].meaning == "DENIED: runs code");
  CHECK(std::remove(path.c_str()) == 0);
}

}  // namespace
}  // namespace mrcnn::test
