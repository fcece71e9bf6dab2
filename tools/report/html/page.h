// A page that is one file: text, tables, drawings and pictures, no script and no address. Nothing
// that it is given is taken as markup, except drawings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mrcnn {

struct PageCell {
  std::string text;
  std::optional<double> share = {};  // 0..1: a bar behind the text
  bool words = false;                // rather than a number: to the left, over several lines
};

struct PageTable {
  std::string caption;
  std::vector<std::string> columns;
  std::vector<std::vector<PageCell>> rows;  // the first cell is the row's name
};

struct PageFigure {
  std::string caption;
  std::string svg;  // as it is
};

struct PagePicture {
  std::vector<std::byte> jpeg;
  int64_t height = 0;  // pixels
  int64_t width = 0;
  std::string alternative;  // what there is to see, for those who do not
  std::string caption;
};

using PageFacts = std::vector<std::pair<std::string, std::string>>;

class Page {
 public:
  Page(std::string title, std::string subtitle);

  void section(const std::string& heading);  // <h2>, in the list of contents
  void heading(const std::string& text);     // <h3>
  void paragraph(const std::string& text);
  void tiles(const PageFacts& facts);  // a few numbers, large
  void figures(const std::vector<PageFigure>& figures);
  void table(const PageTable& table);
  // Leaves out those for which there is no room any more, and says how many.
  void pictures(const std::vector<PagePicture>& pictures);

  std::string finish() const;

 private:
  std::string title_;
  std::string subtitle_;
  std::string contents_;
  std::string body_;
  size_t num_sections_ = 0;
  size_t picture_bytes_ = 0;
};

// Complete or not at all. Throws FileError.
void write_text_file(const std::string& path, std::string_view text);

}  // namespace mrcnn
