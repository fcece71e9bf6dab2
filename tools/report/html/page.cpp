#include "tools/report/html/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/io/file.h"
#include "tools/report/html/markup.h"
#include "tools/report/html/style.h"

namespace mrcnn {
namespace {

constexpr size_t kMostPictureBytes = size_t{1} << 20;  // of a page, as base64

std::string cell(const PageCell& one) {
  std::string attributes;
  if (one.words) {
    attributes = " class=\"words\"";
  } else if (one.share) {
    attributes = fmt::format(" class=\"share\" style=\"--v:{:.1f}%\"",
                             100 * std::clamp(*one.share, 0.0, 1.0));
  }
  return fmt::format("<td{}>{}</td>", attributes, escaped(one.text));
}

}  // namespace

Page::Page(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Page::section(const std::string& heading) {
  if (num_sections_++ > 0) body_ += "</section>\n";
  const std::string text = escaped(heading);
  body_ += fmt::format("<section aria-labelledby=\"part{0}\">\n<h2 id=\"part{0}\">{1}</h2>\n",
                       num_sections_, text);
  contents_ += fmt::format("<li><a href=\"#part{}\">{}</a></li>", num_sections_, text);
}

void Page::heading(const std::string& text) {
  body_ += fmt::format("<h3>{}</h3>\n", escaped(text));
}

void Page::paragraph(const std::string& text) {
  body_ += fmt::format("<p>{}</p>\n", escaped(text));
}

void Page::tiles(const PageFacts& facts) {
  body_ += "<dl class=\"tiles\">\n";
  for (const auto& [name, value] : facts) {
    body_ += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(name), escaped(value));
  }
  body_ += "</dl>\n";
}

void Page::figures(const std::vector<PageFigure>& figures) {
  body_ += "<div class=\"figures\">\n";
  for (const PageFigure& figure : figures) {
    body_ += fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n",
                         escaped(figure.caption), figure.svg);
  }
  body_ += "</div>\n";
}

// A region that can be scrolled by itself, with the keyboard too, so that a phone shows the rest of
// the page at its full width.
void Page::table(const PageTable& table) {
  const std::string caption = escaped(table.caption);
  body_ += fmt::format(
      "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table>\n"
      "<caption>{0}</caption>\n<thead><tr>",
      caption);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const bool words = !table.rows.empty() && i < table.rows[0].size() && table.rows[0][i].words;
    body_ += fmt::format("<th scope=\"col\"{}>{}</th>", words ? " class=\"words\"" : "",
                         escaped(table.columns[i]));
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (const std::vector<PageCell>& row : table.rows) {
    if (row.empty()) continue;
    body_ += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(row.front().text));
    for (size_t i = 1; i < row.size(); ++i) body_ += cell(row[i]);
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
}

void Page::pictures(const std::vector<PagePicture>& pictures) {
  body_ += "<div class=\"gallery\">\n";
  size_t left_out = 0;
  for (const PagePicture& picture : pictures) {
    const size_t bytes = picture.jpeg.size() / 3 * 4;
    if (picture_bytes_ + bytes > kMostPictureBytes) {
      ++left_out;
      continue;
    }
    picture_bytes_ += bytes;
    body_ += fmt::format(
        "<figure><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">"
        "<figcaption>{}</figcaption></figure>\n",
        data_uri("image/jpeg", picture.jpeg), picture.width, picture.height,
        escaped(picture.alternative), escaped(picture.caption));
  }
  body_ += "</div>\n";
  if (left_out > 0) paragraph(fmt::format("{} more are left out for want of room.", left_out));
}

// The policy makes the promise binding: a browser that follows it asks nobody for anything. The
// empty icon keeps browsers from asking for one.
std::string Page::finish() const {
  const std::string title = escaped(title_);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{0}</title>\n<style>{1}{2}</style>\n</head>\n"
      "<body>\n<header>\n<h1>{0}</h1>\n<p class=\"quiet\">{3}</p>\n"
      "<nav aria-label=\"Contents\"><ul>{4}</ul></nav>\n</header>\n<main>\n{5}{6}</main>\n"
      "</body>\n</html>\n",
      title, chart_style(), page_style(), escaped(subtitle_), contents_, body_,
      num_sections_ > 0 ? "</section>\n" : "");
}

void write_text_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace mrcnn
