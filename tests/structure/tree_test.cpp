// The tree of this repository obeys the rules of docs/architecture.md.
#include <doctest/doctest.h>

#include "tests/structure/rules.h"
#include "tests/structure/source_tree.h"

namespace mrcnn::structure {
namespace {

const SourceTree& repository() {
  static const SourceTree tree = load_tree(MRCNN_SOURCE_DIR);
  return tree;
}

void require_none(const Findings& findings) {
  for (const std::string& line : findings) FAIL_CHECK(line);
}

TEST_CASE("The tree was read") {
  CHECK(repository().has_file("core/tensor.h"));
  CHECK(repository().has_file("tests/structure/tree_test.cpp"));
  CHECK_FALSE(repository().has_directory("build"));
}
TEST_CASE("Includes point down or sideways") { require_none(check_include_arrows(repository())); }
TEST_CASE("A third-party header stays in its room") {
  require_none(check_third_party_places(repository()));
}
TEST_CASE("CUDA stays in device files") { require_none(check_cuda_places(repository())); }
TEST_CASE("The top level is fixed") { require_none(check_top_level(repository())); }
TEST_CASE("An op has all its files and a test") { require_none(check_op_files(repository())); }
TEST_CASE("Every source is built") { require_none(check_sources_listed(repository())); }
TEST_CASE("No file is too long") { require_none(check_file_lengths(repository())); }
TEST_CASE("Headers have #pragma once") { require_none(check_pragma_once(repository())); }
TEST_CASE("Libraries never print and never exit") {
  require_none(check_library_silence(repository()));
}
TEST_CASE("Files are touched in one place") { require_none(check_file_calls(repository())); }
TEST_CASE("Nothing is left unfinished") { require_none(check_unfinished_marks(repository())); }
TEST_CASE("No text names a path of one machine") {
  require_none(check_machine_paths(repository()));
}
TEST_CASE("Links of the pages resolve") { require_none(check_markdown_links(repository())); }

}  // namespace
}  // namespace mrcnn::structure
