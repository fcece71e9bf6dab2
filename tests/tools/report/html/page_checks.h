// What every page and drawing must keep to.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mrcnn::test {

// "" if every tag is closed in turn, attributes are quoted and no other '<' or stray '&' occurs;
// else the place where it goes wrong. The content of <style> is passed over.
inline std::string markup_problem(std::string_view page) {
  static const std::set<std::string_view> kVoid = {"meta", "link", "img"};
  std::vector<std::string_view> open;
  const auto at = [&](size_t i) { return std::string(page.substr(i, 60)); };
  for (size_t i = 0; i < page.size(); ++i) {
    if (page[i] == '&') {
      const size_t end = page.find(';', i);
      if (end == page.npos || end - i > 6) return "bare & at " + at(i);
    }
    if (page[i] == '>') return "bare > at " + at(i);
    if (page[i] != '<') continue;
    size_t end = i + 1;
    bool quoted = false;
    for (; end < page.size() && (quoted || page[end] != '>'); ++end) {
      if (page[end] == '"') quoted = !quoted;
      if (page[end] == '<') return "< inside a tag at " + at(i);
    }
    if (end == page.size()) return "no end of tag at " + at(i);
    const std::string_view tag = page.substr(i + 1, end - i - 1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "wrong closing tag at " + at(i);
      open.pop_back();
    } else if (!tag.starts_with('!') && !tag.ends_with('/') && kVoid.count(name) == 0) {
      open.push_back(name);
      if (name == "style") end = page.find("</style>", end) - 1;
    }
    i = end;
  }
  return open.empty() ? "" : "not closed: " + std::string(open.back());
}

// "" if nothing in a page makes a browser ask anybody for anything.
inline std::string address_problem(std::string_view page) {
  for (const std::string_view word : {"http:", "https:", "//", "url(", "@import", "<script",
                                      "<iframe", "<object", "<base", "<form"}) {
    // Encoded pictures may spell "//".
    for (size_t i = page.find(word); i != page.npos; i = page.find(word, i + 1)) {
      const size_t quote = page.rfind('"', i);
      const bool encoded = quote != page.npos && page.substr(quote + 1).starts_with("data:");
      if (!encoded) return std::string(page.substr(i, 60));
    }
  }
  for (const std::string_view attribute : {" src=", " href=", " srcset=", " action="}) {
    for (size_t i = page.find(attribute); i != page.npos; i = page.find(attribute, i + 1)) {
      const std::string_view value = page.substr(i + attribute.size());
      if (!value.starts_with("\"data:") && !value.starts_with("\"#")) {
        return std::string(page.substr(i, 60));
      }
    }
  }
  return "";
}

inline size_t count_of(std::string_view text, std::string_view word) {
  size_t count = 0;
  for (size_t i = text.find(word); i != text.npos; i = text.find(word, i + 1)) ++count;
  return count;
}

}  // namespace mrcnn::test
