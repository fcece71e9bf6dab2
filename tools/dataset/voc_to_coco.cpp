#include "tools/dataset/voc_to_coco.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <span>
#include <string_view>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/file_calls.h"
#include "data/coco/annotation_writer.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

std::string annotation_text(const Dataset& dataset, const std::string& split) {
  const std::string info =
      fmt::format("{{\"description\":\"PASCAL VOC segmentation, split {}\"}}", split);
  CocoAnnotationWriter writer(info, SegmentationForm::kCompressedRle);
  std::map<int64_t, int64_t> category_of;
  for (const DatasetClass& one : dataset.classes()) {
    writer.add_class(one);
    category_of[one.label] = one.category_id;
  }
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    writer.add_image(image);
    for (const DatasetObject& object : dataset.objects(i)) {
      writer.add_object(object, image.id, category_of.at(object.label));
    }
  }
  return writer.finish();
}

bool holds(const fs::path& path, std::string_view text) {
  const FileBytes file = read_file(path.string(), ExitCode::kData);
  return std::string_view(static_cast<const char*>(static_cast<const void*>(file.bytes.data())),
                          file.bytes.size()) == text;
}

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
  throw UsageError(fmt::format("{}: {}; --force replaces it", path.string(), what));
}

[[noreturn]] void fail(const fs::path& path, const std::string& action,
                       const std::error_code& error) {
  throw FileError(ExitCode::kResources, path.string(), "", action + ": " + error.message());
}

// Whether the link is missing and can be made, an old one being out of the way.
bool wants_link(const fs::path& link, const fs::path& target, bool replace) {
  std::error_code ignored;
  if (fs::symlink_status(link, ignored).type() == fs::file_type::not_found) return true;
  if (fs::equivalent(link, target, ignored)) return false;
  if (!fs::is_symlink(link, ignored)) {
    throw UsageError(fmt::format("{}: is in the way of a link to {}; choose another folder",
                                 link.string(), target.string()));
  }
  if (!replace) refuse(link, "links to other pictures");
  return true;
}

void make_link(const fs::path& link, const fs::path& target) {
  std::error_code error;
  file_calls::unlink(link.c_str());  // where there is one
  fs::create_directory_symlink(target, link, error);
  if (error) fail(link, "cannot link to " + target.string(), error);
}

}  // namespace

VocToCocoResult write_voc_as_coco(const Dataset& dataset, const std::string& split,
                                  const std::string& dir, bool replace) {
  const fs::path annotations = fs::path(dir) / "annotations" / ("instances_" + split + ".json");
  const fs::path link = fs::path(dir) / split;
  std::error_code error;
  const fs::path pictures = fs::canonical(fs::path(dataset.image(0).path).parent_path(), error);
  if (error) fail(dataset.image(0).path, "cannot find its folder", error);

  const std::string text = annotation_text(dataset, split);
  const bool exists = fs::exists(annotations, error);
  const bool same = exists && holds(annotations, text);
  if (exists && !same && !replace) refuse(annotations, "holds something else");
  const bool link_wanted = wants_link(link, pictures, replace);

  fs::create_directories(annotations.parent_path(), error);
  if (error) fail(annotations.parent_path(), "cannot create the folder", error);
  if (link_wanted) make_link(link, pictures);
  if (!same) {
    AtomicFile file(annotations.string());
    file.write(std::as_bytes(std::span(text)));
    file.commit();
  }
  return {annotations.string(), !same};
}

}  // namespace mrcnn
