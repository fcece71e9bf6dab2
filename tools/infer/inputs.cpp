#include "tools/infer/inputs.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

class Gatherer {
 public:
  explicit Gatherer(std::istream& standard_input) : standard_input_(standard_input) {}

  void add_argument(const std::string& argument);
  Inputs take() { return std::move(inputs_); }

 private:
  void add_list(const std::string& name, std::string_view text);
  void add_standard_input();
  void add_path(const std::string& path);
  void add_directory(const std::string& directory);
  bool add_pattern(const std::string& pattern);
  void add_image(const std::string& path, const std::string& relative);
  void problem(const std::string& path, const std::string& what) {
    inputs_.problems.push_back(path + ": " + what);
  }

  std::istream& standard_input_;
  bool standard_input_used_ = false;
  Inputs inputs_;
  std::set<std::string> seen_;
};

// Equal for two spellings of one directory entry. The directory's links are resolved, the file's
// own link is not: two links to one picture are two names that results may be wanted for.
std::string entry_key(const std::string& path) {
  const fs::path file(path);
  std::error_code error;
  const fs::path directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const fs::path resolved = fs::canonical(directory, error);
  return error ? path : (resolved / file.filename()).string();
}

void Gatherer::add_argument(const std::string& argument) {
  if (argument == "-") return add_standard_input();
  if (argument.starts_with('@')) {
    const std::string list = argument.substr(1);
    if (list == "-") return add_standard_input();
    if (list.empty()) throw UsageError("'@' names no list file; write @FILE");
    const FileBytes file = read_file(list, ExitCode::kData);
    std::string text(file.bytes.size(), '\0');
    if (!text.empty()) std::memcpy(text.data(), file.bytes.data(), text.size());
    return add_list(list, text);
  }
  std::error_code ignored;
  const bool exists = fs::exists(fs::symlink_status(argument, ignored));
  if (!exists && argument.find_first_of("*?[{") != std::string::npos) {
    if (!add_pattern(argument)) problem(argument, "the pattern matches nothing");
    return;
  }
  add_path(argument);
}

void Gatherer::add_standard_input() {
  if (standard_input_used_) throw UsageError("the list on standard input is asked for twice");
  standard_input_used_ = true;
  const std::string text((std::istreambuf_iterator<char>(standard_input_)),
                         std::istreambuf_iterator<char>());
  add_list("standard input", text);
}

// Names are taken literally: tools that print lists do not quote '*' or '@'.
void Gatherer::add_list(const std::string& name, std::string_view text) {
  for (int64_t line_number = 1; !text.empty(); ++line_number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find('\0') != std::string_view::npos) {
      throw FileError(ExitCode::kData, name, fmt::format("line {}", line_number),
                      "holds a zero byte, so this is not a list of names, one a line");
    }
    if (!line.empty()) add_path(std::string(line));
  }
}

void Gatherer::add_path(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found || path.empty()) {
    return problem(path.empty() ? "''" : path, "no such file or directory");
  }
  if (error) return problem(path, error.message());
  if (fs::is_directory(status)) return add_directory(path);
  if (!fs::is_regular_file(status)) return problem(path, "is neither a file nor a directory");
  add_image(path, fs::path(path).filename().string());
}

// An explicit stack: the depth of a directory tree is not ours to choose.
void Gatherer::add_directory(const std::string& directory) {
  std::vector<fs::path> pending = {fs::path()};
  std::vector<std::string> found;
  while (!pending.empty()) {
    const fs::path below = pending.back();
    pending.pop_back();
    std::error_code error;
    fs::directory_iterator entry(below.empty() ? fs::path(directory) : directory / below, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code ignored;
      if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
        pending.push_back(below / name);
      } else if (has_image_extension(name) && entry->is_regular_file(ignored)) {
        found.push_back((below / name).string());
      }
    }
    if (error) problem((directory / below).string(), "cannot be searched: " + error.message());
  }
  if (found.empty()) problem(directory, "no .jpg, .jpeg or .png file in this directory");
  std::sort(found.begin(), found.end());
  for (const std::string& relative : found) {
    add_image(directory == "." ? relative : (fs::path(directory) / relative).string(), relative);
  }
}

bool Gatherer::add_pattern(const std::string& pattern) {
  glob_t matches{};
  const int result = ::glob(pattern.c_str(), GLOB_BRACE, nullptr, &matches);
  std::vector<std::string> paths;
  for (size_t i = 0; result == 0 && i < matches.gl_pathc; ++i) {
    paths.emplace_back(matches.gl_pathv[i]);
  }
  ::globfree(&matches);
  if (result == GLOB_NOSPACE) throw MemoryError("no memory to expand the pattern " + pattern);
  std::sort(paths.begin(), paths.end());  // by bytes, where glob sorts by the user's locale
  for (const std::string& path : paths) add_path(path);
  return !paths.empty();
}

void Gatherer::add_image(const std::string& path, const std::string& relative) {
  if (seen_.insert(entry_key(path)).second) {
    inputs_.images.push_back({path, relative});
  } else {
    inputs_.duplicates.push_back(path);
  }
}

}  // namespace

bool has_image_extension(const std::string& path) {
  constexpr std::array<std::string_view, 5> kExtensions = {".jpg", ".jpeg", ".jpe", ".jfif",
                                                           ".png"};
  std::string extension = fs::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c & 0x7f)); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

Inputs gather_inputs(const std::vector<std::string>& arguments, std::istream& standard_input) {
  Gatherer gatherer(standard_input);
  for (const std::string& argument : arguments) gatherer.add_argument(argument);
  return gatherer.take();
}

}  // namespace mrcnn
