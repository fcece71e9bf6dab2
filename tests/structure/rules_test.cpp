// Each rule catches the fault that it is for, and lets the tidy neighbour pass.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/structure/rules.h"
#include "tests/structure/source_tree.h"
#include "tests/structure/text_scan.h"

namespace mrcnn::structure {
namespace {

// A small tidy tree; tests add one fault to it.
SourceTree tidy_tree() {
  return {{
      {"README.md", "# Title\n\n[page](docs/page.md#a-heading) [web](https://example.com)\n"},
      {"core/CMakeLists.txt", "add_library(mrcnn_core\n  tensor.cpp\n)\n"},
      {"core/tensor.h", "#pragma once\n"},
      {"core/tensor.cpp", "#include \"core/tensor.h\"\n"},
      {"data/CMakeLists.txt", "add_library(mrcnn_data\n  image.cpp\n)\n"},
      {"data/image.cpp", "#include \"models/detection/instances.h\"\n#include <turbojpeg.h>\n"},
      {"docs/page.md", "# A heading\n\nSee [home](../README.md) and [rooms](../core).\n"},
      {"kernels/CMakeLists.txt",
       "add_library(k\n  pool/max_pool.cpp\n  pool/max_pool_cpu.cpp\n)\n"},
      {"kernels/pool/max_pool.cpp", "#include \"kernels/pool/max_pool.h\"\n"},
      {"kernels/pool/max_pool.h",
       "// Gradient: none. Deterministic: yes. Syncs host: no.\n#pragma once\n"
       "#include \"core/tensor.h\"\n"},
      {"kernels/pool/max_pool_cpu.cpp", "#include \"kernels/pool/max_pool.h\"\n"},
      {"models/detection/instances.h", "#pragma once\n#include \"core/tensor.h\"\n"},
      {"tests/kernels/CMakeLists.txt", "mrcnn_test(pool/max_pool_test.cpp LABELS unit)\n"},
      {"tests/kernels/pool/max_pool_test.cpp", "#include \"kernels/pool/max_pool.h\"\n"},
      {"tools/CMakeLists.txt", "mrcnn_program(infer)\n"},
      {"tools/infer.cpp", "#include \"data/image.h\"\n#include <CLI/CLI.hpp>\n"},
      {"data/image.h", "#pragma once\n"},
  }};
}

SourceTree tidy_tree_with(const std::string& path, const std::string& text) {
  SourceTree tree = tidy_tree();
  std::erase_if(tree.files, [&](const SourceFile& file) { return file.path == path; });
  tree.files.push_back({path, text});
  return tree;
}

SourceTree tidy_tree_without(const std::string& path) {
  SourceTree tree = tidy_tree();
  std::erase_if(tree.files, [&](const SourceFile& file) { return file.path == path; });
  return tree;
}

void expect_one(const Findings& findings, const std::string& where) {
  REQUIRE(findings.size() == 1);
  CAPTURE(findings.front());
  CHECK(findings.front().starts_with(where + ": "));
}

TEST_CASE("A tidy tree has no findings") {
  const SourceTree tree = tidy_tree();
  for (const auto check :
       {check_include_arrows, check_third_party_places, check_cuda_places, check_top_level,
        check_op_files, check_sources_listed, check_file_lengths, check_pragma_once,
        check_library_silence, check_file_calls, check_unfinished_marks, check_machine_paths,
        check_markdown_links}) {
    for (const std::string& line : check(tree)) FAIL_CHECK(line);
  }
}

TEST_CASE("An include that points up is caught on disk") {
  const std::filesystem::path root =
      std::filesystem::temp_directory_path() / ("mrcnn_structure_" + std::to_string(::getpid()));
  for (const SourceFile& file : tidy_tree().files) {
    std::filesystem::create_directories((root / file.path).parent_path());
    std::ofstream(root / file.path) << file.text;
  }
  std::filesystem::create_directories(root / "build");
  std::ofstream(root / "build/generated.cpp") << "#include \"nowhere.h\"\n";
  std::ofstream(root / "photo.jpg") << "not a source";
  const SourceTree before = load_tree(root);
  std::ofstream(root / "core/tensor.cpp", std::ios::app)
      << "#include \"models/detection/instances.h\"\n";
  const SourceTree after = load_tree(root);
  std::filesystem::remove_all(root);

  CHECK(check_include_arrows(before).empty());
  CHECK(check_top_level(before).empty());
  CHECK(before.files.size() == tidy_tree().files.size());
  expect_one(check_include_arrows(after), "core/tensor.cpp:2");
}

TEST_CASE("Include arrows") {
  const auto finds = [](const std::string& path, const std::string& include) {
    return check_include_arrows(
        tidy_tree_with(path, "#pragma once\n  # include " + include + "\n"));
  };
  const std::string layer = "layers/linear.h";
  CHECK(finds(layer, "\"kernels/pool/max_pool.h\"").empty());
  CHECK(finds(layer, "\"core/tensor.h\"").empty());
  CHECK(finds("tests/support/x.h", "\"models/detection/instances.h\"").empty());
  expect_one(finds(layer, "\"models/detection/instances.h\""), layer + ":2");
  expect_one(finds(layer, "\"data/image.h\""), layer + ":2");
  expect_one(finds("kernels/pool/x.h", "\"layers/linear.h\""), "kernels/pool/x.h:2");
  expect_one(finds("data/x.h", "\"kernels/pool/max_pool.h\""), "data/x.h:2");
  expect_one(finds("models/x.h", "\"data/image.h\""), "models/x.h:2");
  expect_one(finds("core/x.h", "\"tensor.h\""), "core/x.h:2");
  expect_one(finds("core/x.h", "<core/tensor.h>"), "core/x.h:2");
}

TEST_CASE("Third-party places") {
  expect_one(check_third_party_places(tidy_tree_with("models/x.cpp", "#include <turbojpeg.h>\n")),
             "models/x.cpp:1");
  expect_one(check_third_party_places(tidy_tree_with("tools/x.h", "#include <CLI/CLI.hpp>\n")),
             "tools/x.h:1");
  expect_one(check_third_party_places(tidy_tree_with("core/x.cpp", "#include <doctest/doctest.h>")),
             "core/x.cpp:1");
}

TEST_CASE("CUDA places") {
  const std::string include = "#include <cuda_runtime.h>\n";
  CHECK(check_cuda_places(tidy_tree_with("kernels/pool/max_pool_cuda.cu", include)).empty());
  CHECK(check_cuda_places(tidy_tree_with("core/cuda/check.h", include)).empty());
  expect_one(check_cuda_places(tidy_tree_with("core/x.h", include)), "core/x.h:1");
  expect_one(check_cuda_places(tidy_tree_with("layers/x.cpp", "kernel<<<1, 32>>>();\n")),
             "layers/x.cpp");
  expect_one(check_cuda_places(tidy_tree_with("layers/x.h", "#ifdef MRCNN_WITH_CUDA\n")),
             "layers/x.h");
}

TEST_CASE("Layout") {
  expect_one(check_top_level(tidy_tree_with("scripts/x.sh", "")), "scripts/x.sh");
  expect_one(check_top_level(tidy_tree_with("notes.md", "")), "notes.md");
  expect_one(check_op_files(tidy_tree_without("tests/kernels/pool/max_pool_test.cpp")),
             "kernels/pool/max_pool_cpu.cpp");
  expect_one(check_op_files(tidy_tree_without("kernels/pool/max_pool.h")),
             "kernels/pool/max_pool_cpu.cpp");
  expect_one(check_op_files(tidy_tree_without("kernels/pool/max_pool.cpp")),
             "kernels/pool/max_pool_cpu.cpp");
  expect_one(check_op_files(tidy_tree_with("kernels/pool/max_pool.h",
                                           "// Gradient: none. Deterministic: yes.\n")),
             "kernels/pool/max_pool.h");
  expect_one(check_op_files(tidy_tree_with("kernels/loose.h", "")), "kernels/loose.h");
  SourceTree shared = tidy_tree_with("kernels/pool/window.h", "#pragma once\n");
  shared.files.push_back({"kernels/pool/window_cpu.cpp", ""});
  CHECK(check_op_files(shared).empty());
  expect_one(check_sources_listed(tidy_tree_with("core/x.cpp", "")), "core/x.cpp");
  expect_one(check_sources_listed(tidy_tree_with("tools/train.cpp", "")), "tools/train.cpp");
  CHECK(check_file_lengths(tidy_tree_with("core/x.cpp", std::string(400, '\n'))).empty());
  expect_one(check_file_lengths(tidy_tree_with("core/x.cpp", std::string(401, '\n'))),
             "core/x.cpp");
}

TEST_CASE("Texts") {
  expect_one(check_pragma_once(tidy_tree_with("core/x.h", "// #pragma once\n")), "core/x.h");
  expect_one(check_library_silence(tidy_tree_with("core/x.cpp", "\nstd::cout << 1;\n")),
             "core/x.cpp:2");
  expect_one(check_library_silence(tidy_tree_with("data/x.cpp", "std::exit(1);\n")),
             "data/x.cpp:1");
  CHECK(check_library_silence(tidy_tree_with("tools/x.cpp", "std::exit(1);\n")).empty());
  CHECK(check_library_silence(
            tidy_tree_with("core/x.cpp", "// printf(\nconst char* s = \"exit(1)\"; snprintf(b);\n"))
            .empty());
  for (const char* line :
       {"std::ofstream f(p);\n", "n = ::write(f, p, 1);\n", "fs::remove(p);\n"}) {
    expect_one(check_file_calls(tidy_tree_with("tools/x.cpp", line)), "tools/x.cpp:1");
  }
  CHECK(check_file_calls(tidy_tree_with("core/io/file_calls.cpp", "::write(f, p, 1);\n")).empty());
  CHECK(check_file_calls(tidy_tree_with("tests/x.cpp", "std::ofstream f(p);\n")).empty());
  CHECK(check_file_calls(tidy_tree_with("tools/x.cpp",
                                        "file_calls::write(f, p); // ::write(\nfs::remove_all(p);\n"
                                        "::write(STDERR_FILENO, p, 1);\nJson::open('[');\n"))
            .empty());
  expect_one(check_unfinished_marks(tidy_tree_with("core/x.cpp",
                                                   "// FIX"
                                                   "ME later\n")),
             "core/x.cpp:1");
  CHECK(check_unfinished_marks(tidy_tree_with("x.sh",
                                              "mktemp /tmp/XX"
                                              "XXXX\n"))
            .empty());
  expect_one(check_machine_paths(tidy_tree_with("core/x.cpp",
                                                "\"/ho"
                                                "me/me/x\"\n")),
             "core/x.cpp:1");
  CHECK(check_machine_paths(tidy_tree_with("core/x.cpp",
                                           "a/ho"
                                           "me/x\n"))
            .empty());
}

TEST_CASE("Links") {
  const auto links = [](const std::string& text) {
    return check_markdown_links(tidy_tree_with("docs/x.md", text));
  };
  CHECK(links("`[no](link.md)`\n```\n[no](link.md)\n```\n[yes](page.md)\n").empty());
  expect_one(links("\n[gone](gone.md)\n"), "docs/x.md:2");
  expect_one(links("![picture](pictures/gone.png)\n"), "docs/x.md:1");
  expect_one(links("[no heading](page.md#another)\n"), "docs/x.md:1");
}

TEST_CASE("Comments and literals are not code") {
  CHECK(code_only("a // b\nc") == "a     \nc");
  CHECK(code_only("f(\"x\\\"y\", 'z')") == "f(      ,    )");
  CHECK(code_only("R\"(a\nb)\" c") == "    \n    c");
  CHECK(code_only("1'000 /* x\n*/ y") == "1'000     \n   y");
}

}  // namespace
}  // namespace mrcnn::structure
