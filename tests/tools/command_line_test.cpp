#include "tools/command_line.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include "core/error.h"

using namespace mrcnn;

namespace {

std::optional<int> parse(std::vector<std::string> words) {
  CLI::App app{"A test"};
  app.name("program");
  int number = 0;
  std::string file;
  app.add_option("--threads", number);
  app.add_option("--json", file);
  words.insert(words.begin(), "program");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_command_line(app, static_cast<int>(arguments.size()), arguments.data());
}

std::optional<int> parse_commands(std::vector<std::string> words) {
  CLI::App app{"A test"};
  app.name("program");
  app.require_subcommand(1);
  int number = 0;
  app.add_subcommand("shapes")->add_option("--images", number);
  app.add_subcommand("stats")->add_option("--split", number);
  words.insert(words.begin(), "program");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_command_line(app, static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("The nearest word is found over typing errors, nothing far away") {
  const std::vector<std::string> words{"dog", "person", "elephant"};
  CHECK(nearest_word("dgo", words) == "dog");
  CHECK(nearest_word("persn", words) == "person");
  CHECK(nearest_word("elefant", words) == "elephant");
  CHECK(nearest_word("giraffe", words).empty());
  CHECK(nearest_word("", words).empty());
  CHECK(nearest_word("doog", {"dog"}) == "dog");
  CHECK(nearest_word(std::string(1 << 20, 'x'), words).empty());  // and takes no time
}

TEST_CASE("A good command line goes on") { CHECK_FALSE(parse({"--threads", "3"}).has_value()); }

TEST_CASE("Wrong command lines name the token and the remedy") {
  CHECK_THROWS_WITH_AS(parse({"--thraeds", "3"}), doctest::Contains("did you mean '--threads'?"),
                       UsageError);
  CHECK_THROWS_WITH_AS(parse({"--xyzzy=3"}), doctest::Contains("unknown option '--xyzzy'"),
                       UsageError);
  CHECK_THROWS_WITH_AS(parse({"-z"}), doctest::Contains("unexpected argument '-z'"), UsageError);
  CHECK_THROWS_WITH_AS(parse({"--json"}), doctest::Contains("option '--json' needs a value"),
                       UsageError);
  CHECK_THROWS_WITH_AS(parse({"--threads", "many"}), doctest::Contains("many"), UsageError);
}

TEST_CASE("No argument at all is a usage error, help, version and limits are not") {
  CHECK(parse({}) == 2);
  CHECK(parse({"--help"}) == 0);
  CHECK(parse({"--version"}) == 0);
  CHECK(parse({"--show-limits"}) == 0);
}

TEST_CASE("Commands and their options are named too") {
  CHECK_FALSE(parse_commands({"shapes", "--images", "3"}).has_value());
  CHECK(parse_commands({}) == 2);
  CHECK(parse_commands({"--help"}) == 0);
  CHECK(parse_commands({"stats", "--help"}) == 0);
  CHECK_THROWS_WITH_AS(parse_commands({"shaeps"}),
                       doctest::Contains("unknown command 'shaeps'; did you mean 'shapes'?"),
                       UsageError);
  CHECK_THROWS_WITH_AS(parse_commands({"xyzzy", "--images", "3"}),
                       doctest::Contains("unknown command 'xyzzy'; see --help"), UsageError);
  CHECK_THROWS_WITH_AS(parse_commands({"shapes", "--imagse", "3"}),
                       doctest::Contains("'--imagse'; did you mean '--images'?"), UsageError);
  CHECK_THROWS_WITH_AS(parse_commands({"shapes", "--split", "3"}),
                       doctest::Contains("unknown option '--split'"), UsageError);
  CHECK_THROWS_AS(parse_commands({"shapes", "--images"}), UsageError);
}
