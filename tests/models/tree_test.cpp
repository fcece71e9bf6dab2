// The module tree is public contract: names, order, shapes and printed form equal the references'.
#include "models/mask_rcnn/tree.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "core/error.h"
#include "layers/state_dict.h"
#include "models/zoo.h"

using namespace mrcnn;

namespace {

std::string read_text(const std::string& name) {
  std::ifstream file(std::string(MRCNN_TEST_DATA) + "/golden/names/" + name);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

// Lines "name shape dtype", the shape as 64x3x7x7 or "scalar".
std::vector<std::string> described(const std::string& model, int64_t num_classes) {
  std::vector<std::string> lines;
  const MaskRcnnTree tree = build_tree(model_config(model, num_classes));
  for (const ParameterInfo& info : parameter_list(*tree.root)) {
    lines.push_back(info.name + " " + shape_text(info.file_shape) + " " +
                    (info.dtype == DType::kI64 ? "int64" : "float32"));
  }
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("The original model prints the tree of the reference, line by line") {
  const MaskRcnnTree tree = build_tree(model_config("maskrcnn_resnet50_c5", 91));
  const std::vector<std::string> expected = lines_of(read_text("seed_module_tree.txt"));
  const std::vector<std::string> printed = lines_of(tree.root->to_string());
  REQUIRE(printed.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) CHECK(printed[i] == expected[i]);
}

TEST_CASE("Torchvision's v1 has exactly its 307 names and shapes in order") {
  const auto expected = lines_of(read_text("tv_v1_module_keys_new_names.txt"));
  REQUIRE(expected.size() == 307);
  CHECK(described("maskrcnn_resnet50_fpn", 91) == expected);
}

TEST_CASE("Torchvision's v2 has exactly its 432 names and shapes in order") {
  const auto expected = lines_of(read_text("tv_v2_checkpoint_keys.txt"));
  REQUIRE(expected.size() == 432);
  CHECK(described("maskrcnn_resnet50_fpn_v2", 91) == expected);
}

TEST_CASE("The original model has exactly its 295 names and shapes in order") {
  const auto rows = lines_of(read_text("seed_state_dict.tsv"));
  const auto names = described("maskrcnn_resnet50_c5", 91);
  REQUIRE(rows.size() == 296);  // one header line
  REQUIRE(names.size() == 295);
  for (size_t i = 0; i < names.size(); ++i) {
    std::istringstream row(rows[i + 1]);
    std::string index, name, shape;
    std::getline(row, index, '\t');
    std::getline(row, name, '\t');
    std::getline(row, shape, '\t');  // "(64, 3, 7, 7)", "(64,)"
    std::string normalized;
    for (const char c : shape) {
      if (c >= '0' && c <= '9') normalized += c;
      if (c == ',') normalized += 'x';
    }
    if (normalized.ends_with('x')) normalized.pop_back();
    CHECK(names[i] == name + " " + normalized + " float32");
  }
}

TEST_CASE("Parameter counts equal the published ones") {
  const auto count = [](const std::string& model, int64_t classes) {
    std::pair<int64_t, int64_t> counts;  // parameters, buffers
    for (const ParameterInfo& info :
         parameter_list(*build_tree(model_config(model, classes)).root)) {
      int64_t values = 1;
      for (const int64_t extent : info.file_shape) values *= extent;
      (info.is_buffer ? counts.second : counts.first) += values;
    }
    return counts;
  };
  CHECK(count("maskrcnn_resnet50_c5", 91) == std::pair<int64_t, int64_t>{42179343, 106240});
  CHECK(count("maskrcnn_resnet50_c5", 21).first == 41802603);
  CHECK(count("maskrcnn_resnet50_fpn", 91).first == 44401393);
  CHECK(count("maskrcnn_resnet50_fpn_v2", 91).first == 46359409);
}

TEST_CASE("Unknown model names and impossible class counts are refused with the known names") {
  CHECK_THROWS_WITH_AS(model_config("resnet50"), doctest::Contains("maskrcnn_resnet50_fpn_v2"),
                       UsageError);
  CHECK_THROWS_AS(model_config("maskrcnn_resnet50_fpn", 1), UsageError);
}
