// The rules of the tree. Each returns one line per violation, "path:line: problem"; none is good.
#pragma once

#include <string>
#include <vector>

#include "tests/structure/source_tree.h"

namespace mrcnn::structure {

using Findings = std::vector<std::string>;

// Includes (include_rules.cpp).
Findings check_include_arrows(const SourceTree& tree);      // a room includes only what is below
Findings check_third_party_places(const SourceTree& tree);  // a library's header has one room
Findings check_cuda_places(const SourceTree& tree);         // CUDA stays in device files

// Which files there are (layout_rules.cpp).
Findings check_top_level(const SourceTree& tree);       // rooms and root files are fixed
Findings check_op_files(const SourceTree& tree);        // op.h, op.cpp, op_cpu.cpp and a test
Findings check_sources_listed(const SourceTree& tree);  // CMake builds every source
Findings check_file_lengths(const SourceTree& tree);    // at most 400 lines

// What the texts say (text_rules.cpp).
Findings check_pragma_once(const SourceTree& tree);
Findings check_library_silence(const SourceTree& tree);  // libraries never print, never exit
Findings check_file_calls(const SourceTree& tree);       // files are touched in one place
Findings check_unfinished_marks(const SourceTree& tree);
Findings check_machine_paths(const SourceTree& tree);  // nobody's home directory

// Pages (link_rules.cpp).
Findings check_markdown_links(const SourceTree& tree);  // files and headings exist

}  // namespace mrcnn::structure
