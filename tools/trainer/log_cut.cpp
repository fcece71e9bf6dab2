#include "tools/trainer/log_cut.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <new>
#include <optional>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"

namespace mrcnn {
namespace {

using Fields = std::vector<std::string_view>;

// Complete lines; a last one without its line break was torn.
struct Lines {
  FileBytes file;
  Fields lines;
  bool torn = false;
};

Lines read_lines(const std::string& path) {
  Lines result;
  if (!std::filesystem::exists(path)) return result;
  result.file = read_file(path, ExitCode::kResources);
  const void* data = result.file.bytes.data();
  std::string_view rest(static_cast<const char*>(data), result.file.bytes.size());
  for (size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    result.lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  result.torn = !rest.empty();
  return result;
}

void replace_file(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

std::optional<int64_t> json_step(simdjson::dom::parser& parser, std::string_view line) {
  int64_t step = 0;
  const auto error = parser.parse(line.data(), line.size())["step"].get(step);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();  // the line may be whole
  return error ? std::nullopt : std::optional<int64_t>(step);
}

Fields split(std::string_view line) {
  Fields fields;
  for (size_t comma = line.find(','); comma != line.npos; comma = line.find(',')) {
    fields.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  fields.push_back(line);
  return fields;
}

std::optional<int64_t> csv_step(const Fields& fields) {
  int64_t step = 0;
  const std::string_view text = fields.front();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return step;
}

}  // namespace

CutReport cut_json_lines(const std::string& path, int64_t last_step) {
  const Lines old = read_lines(path);
  CutReport report{0, old.torn ? 1 : 0};
  simdjson::dom::parser parser;
  std::string text;
  for (const std::string_view line : old.lines) {
    const std::optional<int64_t> step = json_step(parser, line);
    const bool keep = step && *step <= last_step;
    ++(keep ? report.kept : report.dropped);
    if (keep) (text += line) += '\n';
  }
  if (report.dropped > 0) replace_file(path, text);
  return report;
}

CutReport cut_csv(const std::string& path, int64_t last_step, std::vector<std::string>& columns) {
  const Lines old = read_lines(path);
  CutReport report{0, old.torn ? 1 : 0};
  if (old.lines.empty()) {
    if (old.torn) replace_file(path, "");
    return report;
  }
  const Fields old_columns = split(old.lines.front());
  for (const std::string_view column : old_columns) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      columns.emplace_back(column);
    }
  }
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (size_t row = 1; row < old.lines.size(); ++row) {
    const Fields fields = split(old.lines[row]);
    const std::optional<int64_t> step = csv_step(fields);
    const bool keep = step && *step <= last_step && fields.size() == old_columns.size();
    ++(keep ? report.kept : report.dropped);
    if (!keep) continue;
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto found = std::find(old_columns.begin(), old_columns.end(), columns[i]);
      if (i > 0) text += ',';
      if (found != old_columns.end())
        text += fields[static_cast<size_t>(found - old_columns.begin())];
    }
    text += '\n';
  }
  const bool same_columns =
      std::equal(columns.begin(), columns.end(), old_columns.begin(), old_columns.end());
  if (report.dropped > 0 || !same_columns) replace_file(path, text);
  return report;
}

}  // namespace mrcnn
