#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "tests/structure/rules.h"
#include "tests/structure/text_scan.h"

namespace mrcnn::structure {
namespace {

// In two pieces each, so that this file does not break its own rules.
constexpr std::array<std::string_view, 4> kUnfinishedMarks = {
    "TO"
    "DO",
    "FIX"
    "ME",
    "XX"
    "X",
    "HA"
    "CK"};
constexpr std::array<std::string_view, 4> kMachinePaths = {
    "/ho"
    "me/",
    "/ro"
    "ot/",
    "/wo"
    "rk/",
    "/Us"
    "ers/"};

constexpr std::array<std::string_view, 3> kStreams = {"std::cout", "std::cerr", "std::clog"};
constexpr std::array<std::string_view, 9> kCalls = {
    "printf", "fprintf", "puts", "perror", "fmt::print", "exit", "_exit", "abort", "quick_exit"};

// What touches a file, but for the names of the system's own calls, which follow.
constexpr std::array<std::string_view, 9> kFileWords = {
    "ifstream",           "ofstream",   "fstream",           "fopen", "freopen", "fs::remove",
    "filesystem::remove", "fs::rename", "filesystem::rename"};
constexpr std::array<std::string_view, 19> kFileCalls = {
    "open",      "openat",          "creat",     "read",   "readv", "pread",  "write",  "writev",
    "pwrite",    "fsync",           "fdatasync", "syncfs", "close", "rename", "unlink", "ftruncate",
    "fallocate", "posix_fallocate", "flock"};

// "::write(" of the global namespace. Standard error is no file.
bool calls_system(std::string_view line, std::string_view name) {
  const std::string call = "::" + std::string(name) + "(";
  for (size_t at = line.find(call); at != std::string_view::npos; at = line.find(call, at + 1)) {
    const bool is_global =
        at == 0 ||
        (std::isalnum(static_cast<unsigned char>(line[at - 1])) == 0 && line[at - 1] != '_');
    if (is_global && line.find("STDERR_FILENO", at) == std::string_view::npos) return true;
  }
  return false;
}

bool is_library(std::string_view room) {
  return room == "core" || room == "kernels" || room == "layers" || room == "models" ||
         room == "data";
}

// A call of a free function: `word` followed by '(' and not a member or another namespace's.
bool calls(std::string_view line, std::string_view word) {
  for (size_t at = find_word(line, word); at != std::string_view::npos;
       at = find_word(line, word, at + 1)) {
    const std::string_view before = line.substr(0, at);
    const bool member = before.ends_with('.') || before.ends_with("->");
    if (!member && line.substr(at + word.size()).starts_with('(')) return true;
  }
  return false;
}

bool begins_path(std::string_view line, size_t at) {
  constexpr std::string_view kInsidePath =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*})";
  return at == 0 || kInsidePath.find(line[at - 1]) == std::string_view::npos;
}

// Calls look(line, number) for each line of each source file that `wanted` takes.
template <typename Wanted, typename Look>
void each_line(const SourceTree& tree, const Wanted& wanted, const Look& look) {
  for (const SourceFile& file : tree.files) {
    if (!wanted(file)) continue;
    int number = 0;
    for (const std::string_view line : split_lines(file.text)) look(file, line, ++number);
  }
}

}  // namespace

Findings check_pragma_once(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (is_header(file.path) && code_only(file.text).find("#pragma once") == std::string::npos) {
      findings.push_back(finding(file.path, 0, "has no #pragma once"));
    }
  }
  return findings;
}

Findings check_library_silence(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!is_cpp_code(file.path) || !is_library(room_of(file.path))) continue;
    const std::string code = code_only(file.text);
    int number = 0;
    for (const std::string_view line : split_lines(code)) {
      ++number;
      const auto report = [&](std::string_view word) {
        findings.push_back(finding(file.path, number,
                                   "libraries never print and never exit: " + std::string(word)));
      };
      for (const std::string_view stream : kStreams) {
        if (find_word(line, stream) != std::string_view::npos) report(stream);
      }
      for (const std::string_view call : kCalls) {
        if (calls(line, call)) report(call);
      }
    }
  }
  return findings;
}

Findings check_file_calls(const SourceTree& tree) {
  constexpr std::string_view kSeam = "core/io/file_calls.cpp";
  Findings findings;
  for (const SourceFile& file : tree.files) {
    const std::string_view room = room_of(file.path);
    if (!is_cpp_code(file.path) || file.path == kSeam) continue;
    if (!is_library(room) && room != "tools") continue;
    const std::string code = code_only(file.text);
    int number = 0;
    for (const std::string_view line : split_lines(code)) {
      ++number;
      const auto report = [&](std::string_view word) {
        findings.push_back(
            finding(file.path, number,
                    "files are touched in " + std::string(kSeam) + " only: " + std::string(word)));
      };
      for (const std::string_view word : kFileWords) {
        if (find_word(line, word) != std::string_view::npos) report(word);
      }
      for (const std::string_view name : kFileCalls) {
        if (calls_system(line, name)) report(name);
      }
    }
  }
  return findings;
}

Findings check_unfinished_marks(const SourceTree& tree) {
  Findings findings;
  const auto any = [](const SourceFile&) { return true; };
  each_line(tree, any, [&](const SourceFile& file, std::string_view line, int number) {
    for (const std::string_view mark : kUnfinishedMarks) {
      if (find_word(line, mark) != std::string_view::npos) {
        findings.push_back(
            finding(file.path, number, "do it, or state the limit: " + std::string(mark)));
      }
    }
  });
  return findings;
}

Findings check_machine_paths(const SourceTree& tree) {
  Findings findings;
  const auto any = [](const SourceFile&) { return true; };
  each_line(tree, any, [&](const SourceFile& file, std::string_view line, int number) {
    for (const std::string_view path : kMachinePaths) {
      const size_t at = line.find(path);
      if (at != std::string_view::npos && begins_path(line, at)) {
        findings.push_back(
            finding(file.path, number, "names a path of one machine: " + std::string(path)));
      }
    }
  });
  return findings;
}

}  // namespace mrcnn::structure
