// What every program does with its command line, on top of CLI11.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace mrcnn {

// Parses and returns nothing when the program should go on. --help, --version and --show-limits
// print to stdout and return 0; no argument at all prints the help to stderr and returns
// ExitCode::kUsage. A wrong command line throws UsageError that names the token and, for an unknown
// option, the nearest known one.
std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

// The long options, with their dashes, of the program and of the command that was chosen.
std::vector<std::string> option_names(const CLI::App& app);

// The candidate with the fewest edits from `word`, or "" when none is near (more than a third of
// the letters differ).
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mrcnn
