#include <cctype>
#include <filesystem>
#include <string_view>

#include "tests/structure/rules.h"
#include "tests/structure/text_scan.h"

namespace mrcnn::structure {
namespace {

// The lines of a page with fenced blocks emptied and `code` spans blanked.
std::vector<std::string> prose_lines(std::string_view text) {
  std::vector<std::string> lines;
  bool fenced = false;
  for (const std::string_view line : split_lines(text)) {
    const bool fence = line.starts_with("```");
    std::string prose = fenced || fence ? std::string{} : std::string(line);
    if (fence) fenced = !fenced;
    bool in_code = false;
    for (char& c : prose) {
      if (c == '`') in_code = !in_code;
      if (in_code) c = ' ';
    }
    lines.push_back(std::move(prose));
  }
  return lines;
}

// The anchor that a Markdown viewer gives a heading: lower case, spaces to '-', no punctuation.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '_' || c == '-') {
      anchor += static_cast<char>(std::tolower(byte));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

bool has_anchor(const SourceFile& page, std::string_view anchor) {
  bool fenced = false;
  for (std::string_view line : split_lines(page.text)) {
    if (line.starts_with("```")) fenced = !fenced;
    if (fenced || !line.starts_with('#')) continue;
    line = line.substr(line.find_first_not_of('#'));
    if (line.starts_with(' ') && anchor_of(line.substr(1)) == anchor) return true;
  }
  return false;
}

// Why the link target of a page cannot be followed; "" if it can.
std::string problem_of(const SourceTree& tree, const SourceFile& page, std::string_view target) {
  if (target.starts_with("https://") || target.starts_with("http://") ||
      target.starts_with("mailto:")) {
    return {};
  }
  const size_t hash = target.find('#');
  const std::string_view path = target.substr(0, hash);
  const SourceFile* destination = &page;
  if (!path.empty()) {
    const std::filesystem::path base{std::string(directory_of(page.path))};
    std::string resolved = (base / std::string(path)).lexically_normal().generic_string();
    if (resolved.ends_with('/')) resolved.pop_back();
    destination = tree.find(resolved);
    if (destination == nullptr) {
      const bool directory = hash == std::string_view::npos && tree.has_directory(resolved);
      return directory ? std::string{} : "link to " + resolved + ", which does not exist";
    }
  }
  if (hash != std::string_view::npos && !has_anchor(*destination, target.substr(hash + 1))) {
    return "link to " + std::string(target) + ", but there is no such heading";
  }
  return {};
}

}  // namespace

Findings check_markdown_links(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& page : tree.files) {
    if (!page.path.ends_with(".md")) continue;
    int number = 0;
    for (const std::string& line : prose_lines(page.text)) {
      ++number;
      for (size_t at = line.find("]("); at != std::string::npos; at = line.find("](", at + 1)) {
        const size_t end = line.find_first_of(") ", at + 2);
        const std::string_view target = std::string_view(line).substr(at + 2, end - at - 2);
        const std::string problem = problem_of(tree, page, target);
        if (!problem.empty()) findings.push_back(finding(page.path, number, problem));
      }
    }
  }
  return findings;
}

}  // namespace mrcnn::structure
