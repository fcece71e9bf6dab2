#include "data/doctor/picture_check.h"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>

#include "core/error.h"
#include "core/io/file.h"
#include "core/parallel.h"
#include "data/image/image.h"
#include "data/image/jpeg_markers.h"
#include "data/image/png_chunks.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

class PictureCheck {
 public:
  PictureCheck(CatalogRow& row, const std::string& path, std::vector<Finding>& findings)
      : row_(row), path_(path), findings_(findings) {}

  void run() {
    std::error_code error;
    const fs::file_status status = fs::status(path_, error);
    if (!fs::exists(status)) {
      const bool absent = status.type() == fs::file_type::not_found;
      return report(FindingKind::kPictureMissing, "file_name",
                    absent ? "there is no such file" : error.message(), Remedy::kDropped);
    }
    try {
      const FileBytes file = read_image_file(path_);
      decode(file.bytes);
    } catch (const FileError& failure) {
      if (failure.exit_code() != ExitCode::kData) throw;
      report(FindingKind::kPictureUndecodable, "file_name", without_path(failure),
             Remedy::kDropped);
    }
  }

 private:
  void report(FindingKind kind, const char* where, const std::string& problem, Remedy remedy) {
    if (remedy == Remedy::kDropped) row_.dropped = true;
    findings_.push_back({.kind = kind,
                         .section = Section::kImages,
                         .remedy = remedy,
                         .element = row_.element,
                         .byte = row_.byte,
                         .id = std::to_string(row_.id),
                         .image_id = {},
                         .where = where,
                         .file_name = row_.name,
                         .problem = problem});
  }

  std::string without_path(const FileError& failure) const {
    std::string text = failure.what();
    const std::string prefix = failure.path() + ": ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }

  static bool ends_early(std::span<const std::byte> bytes) {
    const bool is_jpeg = bytes.size() > 2 && bytes[0] == std::byte{0xFF};
    return is_jpeg ? !walk_jpeg_markers(bytes).has_end : !walk_png_chunks(bytes).has_end;
  }

  void decode(std::span<const std::byte> bytes) {
    Image image;
    try {
      image = decode_image(bytes, path_, {.exif = ExifPolicy::kIgnore});
    } catch (const FileError& failure) {
      // Only a file that begins like a picture can end early.
      const bool begun =
          walk_jpeg_markers(bytes).frame_marker != 0 || walk_png_chunks(bytes).height > 0;
      if (!begun || !ends_early(bytes)) throw;
      return report(FindingKind::kPictureTruncated, "file_name",
                    fmt::format("ends at byte {}: {}", bytes.size(), without_path(failure)),
                    Remedy::kDropped);
    }
    compare(image);
  }

  void compare(const Image& image) {
    const bool turns = image.orientation > 4;
    const bool as_stored = image.stored_height == row_.height && image.stored_width == row_.width;
    const bool as_shown =
        turns && image.stored_height == row_.width && image.stored_width == row_.height;
    if (row_.height > 0 && !as_stored) {
      report(
          FindingKind::kPictureSize, "",
          fmt::format("is stated as {}x{}, but the picture is {}x{}{}", row_.width, row_.height,
                      image.stored_width, image.stored_height, as_shown ? " and shown turned" : ""),
          Remedy::kDropped);
    }
    if (image.orientation != 1) {
      report(FindingKind::kPictureRotated, "file_name",
             fmt::format("has EXIF orientation {}; the stated size is that of the picture {}",
                         image.orientation,
                         as_stored && turns ? "as stored"
                         : as_shown         ? "as shown"
                         : as_stored        ? "both ways"
                                            : "neither as stored nor as shown"),
             row_.dropped ? Remedy::kDropped : Remedy::kLeft);
    }
  }

  CatalogRow& row_;
  const std::string& path_;
  std::vector<Finding>& findings_;
};

}  // namespace

int64_t check_pictures(Catalog& catalog, const std::string& directory,
                       std::vector<Finding>& findings) {
  std::vector<CatalogRow>& rows = catalog.images();
  std::vector<std::vector<Finding>> found(rows.size());
  std::vector<uint8_t> looked_at(rows.size(), 0);
  parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      CatalogRow& row = rows[static_cast<size_t>(i)];
      if (row.name.empty() || row.merged_into >= 0) continue;
      looked_at[static_cast<size_t>(i)] = 1;
      const std::string path = (fs::path(directory) / row.name).string();
      PictureCheck(row, path, found[static_cast<size_t>(i)]).run();
    }
  });
  int64_t count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    count += looked_at[i];
    findings.insert(findings.end(), std::make_move_iterator(found[i].begin()),
                    std::make_move_iterator(found[i].end()));
  }
  return count;
}

}  // namespace mrcnn
