#include "tools/infer/outputs.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "core/error.h"
#include "tools/infer/naming.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

// One spelling for each file or directory, whether it exists yet or not.
std::string resolved(const std::string& path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return path;
  return (result.has_filename() ? result : result.parent_path()).string();
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The files that must survive the run.
std::set<std::string> precious_files(const InferOptions& options,
                                     const std::vector<InputImage>& images) {
  std::set<std::string> files = {resolved(options.weights)};
  for (const InputImage& image : images) files.insert(resolved(image.path));
  for (const std::string& input : options.inputs) {
    if (input.starts_with('@')) files.insert(resolved(input.substr(1)));
  }
  return files;
}

void make_directory(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  const bool made = !error && fs::is_directory(directory, error);
  if (made) return;
  const std::string reason = error ? error.message() : "a file has this name";
  throw FileError(ExitCode::kResources, directory, "", "cannot be made a directory: " + reason);
}

}  // namespace

void prepare_outputs(const InferOptions& options, const std::vector<InputImage>& images) {
  const bool two_directories = !options.overlay_dir.empty() && !options.masks_dir.empty();
  if (two_directories && resolved(options.overlay_dir) == resolved(options.masks_dir)) {
    throw UsageError("--overlay and --masks name one directory, where files would share names: " +
                     options.masks_dir);
  }
  const std::set<std::string> precious = precious_files(options, images);
  const auto check = [&precious](const std::string& flag, const std::string& path) {
    if (!exists(path) || !precious.contains(resolved(path))) return;
    throw UsageError(flag + " would replace " + path + ", which this run reads");
  };
  if (!options.json.empty() && options.json != "-") check("--json", options.json);
  for (const std::string& name : assign_picture_names(images)) {
    if (!options.overlay_dir.empty()) check("--overlay", picture_path(options.overlay_dir, name));
    if (!options.masks_dir.empty()) check("--masks", picture_path(options.masks_dir, name));
  }
  if (!options.overlay_dir.empty()) make_directory(options.overlay_dir);
  if (!options.masks_dir.empty()) make_directory(options.masks_dir);
}

}  // namespace mrcnn
