#include "tools/command_line.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"
#include "tools/show_limits.h"

namespace mrcnn {
namespace {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
// alignment distance).
size_t edit_distance(std::string_view a, std::string_view b) {
  const size_t columns = b.size() + 1;
  std::vector<size_t> table((a.size() + 1) * columns);
  const auto at = [&table, columns](size_t i, size_t j) -> size_t& {
    return table[i * columns + j];
  };
  for (size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

// "" unless the program has commands and the first word is none of them.
std::string explain_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  if (commands.empty() || word.starts_with("-") ||
      std::find(commands.begin(), commands.end(), word) != commands.end()) {
    return "";
  }
  const std::string near = nearest_word(word, commands);
  return "unknown command '" + word + "'" +
         (near.empty() ? "; see --help" : "; did you mean '" + near + "'?");
}

// CLI11 reports unknown options and surplus words together; this names the first one.
std::string explain_extras(const CLI::App& app, int argc, char** argv) {
  const std::string unknown_command = explain_command(app, argv[1]);
  if (!unknown_command.empty()) return unknown_command;
  const std::vector<std::string> known = option_names(app);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const std::string name(argument.substr(0, argument.find('=')));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest_word(name, known);
    return "unknown option '" + name + "'" +
           (near.empty() ? "; see --help" : "; did you mean '" + near + "'?");
  }
  return "";
}

// Thrown by --show-limits, whatever else the command line says.
struct ShowLimits : CLI::Success {};

// CLI11's commonest messages, said without its vocabulary.
std::string plain_words(const CLI::ParseError& error) {
  std::string text = error.what();
  constexpr std::string_view kExtras[] = {"The following argument was not expected: ",
                                          "The following arguments were not expected: "};
  for (const std::string_view start : kExtras) {
    if (text.starts_with(start)) return "unexpected argument '" + text.substr(start.size()) + "'";
  }
  const size_t required = text.find(": 1 required ");
  if (required != std::string::npos && text.ends_with(" missing")) {
    return "option '" + text.substr(0, required) + "' needs a value";
  }
  constexpr std::string_view kConvert = "Could not convert: ";
  if (text.starts_with(kConvert)) return "wrong value: " + text.substr(kConvert.size());
  return text;
}

}  // namespace

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* command : app.get_subcommands()) {
    for (std::string& name : option_names(*command)) names.push_back(std::move(name));
  }
  return names;
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    // Longer by as many letters is as many edits away; a huge word takes no huge table.
    if (word.size() >= candidate.size() + best_distance) continue;
    if (word.size() > 2 * candidate.size() + 1) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  app.set_version_flag("--version", app.get_name() + " (maskrcnn.cpp) " MRCNN_VERSION);
  app.add_flag_callback(
      "--show-limits", [] { throw ShowLimits(); },
      "How much a file may ask of its reader, then exit");
  if (argc <= 1) {
    fmt::print(stderr, "{}", app.help());
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return static_cast<int>(ExitCode::kOk);
  } catch (const ShowLimits&) {
    fmt::print("{}", limits_text());
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::ParseError& error) {
    const std::string explained = explain_extras(app, argc, argv);
    throw UsageError(explained.empty() ? plain_words(error) + "; see --help" : explained);
  }
  return std::nullopt;
}

}  // namespace mrcnn
