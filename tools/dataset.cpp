// dataset: makes, checks, converts, describes and shows data sets.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/image/write.h"
#include "data/shapes/shapes_files.h"
#include "data/voc/voc.h"
#include "tools/cli_main.h"
#include "tools/command_line.h"
#include "tools/dataset/check_command.h"
#include "tools/dataset/open_dataset.h"
#include "tools/dataset/show.h"
#include "tools/dataset/stats.h"
#include "tools/dataset/stats_picture.h"
#include "tools/dataset/voc_to_coco.h"
#include "tools/option_checks.h"

namespace {

using namespace mrcnn;

constexpr int64_t kMaxImages = 1'000'000;
constexpr int64_t kMaxNumber = 1'000'000'000;  // past it CLI11 would take another number, silently
constexpr int64_t kMaxSeed = std::numeric_limits<int64_t>::max() - 1;

struct ShapesCommand {
  std::string out;
  int64_t images = 500;
  int64_t val_images = 100;
  int64_t size = 128;
  std::optional<int64_t> width;
  int64_t seed = 1;
  int64_t max_objects = 6;
  bool force = false;
};

struct ReadCommand {
  std::string path;
  std::string split = "train";
  std::vector<std::string> classes;
  bool compat = false;
  bool strict = false;
  std::string out;
  bool force = false;
  std::string json;     // stats
  std::string picture;  // stats
  std::string images;   // show
  int64_t count = 24;   // show
  int64_t columns = 0;  // show
};

int make_shapes(const ShapesCommand& command) {
  const ShapesParams params{.seed = static_cast<uint64_t>(command.seed),
                            .height = command.size,
                            .width = command.width.value_or(command.size),
                            .max_objects = command.max_objects};
  const auto splits = shapes_splits(command.images, command.val_images);
  if (splits.empty()) throw UsageError("--images and --val-images are both 0");
  const bool wrote = write_shapes_files(
      command.out, splits, params, command.force ? ExistingFiles::kReplace : ExistingFiles::kKeep);
  fmt::print("{} {}: {} images to train on, {} to validate\n",
             wrote ? "wrote" : "already there:", command.out, command.images, command.val_images);
  return 0;
}

void warn(const std::string& message) { fmt::print(stderr, "dataset: warning: {}\n", message); }

VocOptions options_of(const ReadCommand& command) {
  return {.classes = command.classes,
          .mismatch = command.strict ? VocOptions::Mismatch::kFail : VocOptions::Mismatch::kDrop,
          .compat = command.compat};
}

int convert_voc(const ReadCommand& command) {
  const auto dataset = open_voc_dataset(command.path, command.split, options_of(command), warn);
  const VocToCocoResult result =
      write_voc_as_coco(*dataset, command.split, command.out, command.force);
  fmt::print("{} {}: {} images, {} left out\n",
             result.written ? "wrote" : "already there:", result.annotation_path, dataset->size(),
             dataset->dropped().size());
  return 0;
}

int print_stats(const ReadCommand& command) {
  const auto dataset = open_dataset(command.path, command.split, options_of(command), warn);
  const DatasetStats stats = collect_stats(*dataset);
  if (!command.json.empty()) write_stats_json(command.json, stats);
  if (!command.picture.empty()) write_image(command.picture, draw_stats(stats));
  fmt::print("{}", format_stats(stats));
  return 0;
}

int show(const ReadCommand& command) {
  const auto dataset =
      open_dataset(command.path, command.split, options_of(command), warn, command.images);
  const ShowResult result = show_annotations(
      *dataset, {.out = command.out, .images = command.count, .columns = command.columns});
  for (const std::string& problem : result.problems) warn(problem);
  fmt::print("wrote {}/images/*.png: {} of {} images; {}\n", command.out, result.written,
             dataset->size(), result.contact_sheet);
  return 0;
}

void add_shapes(CLI::App& app, ShapesCommand& command) {
  CLI::App* sub = app.add_subcommand("shapes",
                                     "Writes pictures of plain figures with exact masks as a COCO\n"
                                     "data set: OUT/annotations/instances_{train,val}.json,\n"
                                     "OUT/train/*.png, OUT/val/*.png. A picture depends on the\n"
                                     "seed, the sizes and its number only.");
  sub->add_option("--out", command.out, "Folder to write to")->required();
  sub->add_option("--images", command.images, "Images to train on")
      ->check(whole_number_between(0, kMaxImages))
      ->capture_default_str();
  sub->add_option("--val-images", command.val_images, "Images to validate with")
      ->check(whole_number_between(0, kMaxImages))
      ->capture_default_str();
  sub->add_option("--size", command.size, "Height and width, pixels")
      ->check(whole_number_between(0, kMaxNumber))
      ->capture_default_str();
  sub->add_option("--width", command.width, "Width if it is another, pixels")
      ->check(whole_number_between(0, kMaxNumber));
  sub->add_option("--seed", command.seed, "Another seed makes other pictures")
      ->check(whole_number_between(0, kMaxSeed))
      ->capture_default_str();
  sub->add_option("--max-objects", command.max_objects, "Most objects in an image; the least is 1")
      ->check(whole_number_between(0, kMaxNumber))
      ->capture_default_str();
  sub->add_flag("--force", command.force, "Replace annotations of another data set");
}

void add_reading_options(CLI::App& sub, ReadCommand& command) {
  sub.add_option("--classes", command.classes,
                 "PASCAL VOC: names of own classes in the order of their\n"
                 "labels: a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  sub.add_flag("--compat", command.compat,
               "PASCAL VOC as the original project reads it: boxes not\n"
               "moved by a pixel, areas of boxes, other ids and order,\n"
               "masks not compared with boxes");
  sub.add_flag("--strict", command.strict,
               "Fail at what is wrong, such as masks and objects that do\n"
               "not fit each other, instead of leaving it out");
}

CLI::App* add_reading_command(CLI::App& app, ReadCommand& command, const char* name,
                              const char* description) {
  CLI::App* sub = app.add_subcommand(name, description);
  sub->add_option("path", command.path,
                  "Folder of a COCO or PASCAL VOC data set, or a COCO\n"
                  "annotation file")
      ->required();
  sub->add_option("--split", command.split, "Which part of a folder")->capture_default_str();
  add_reading_options(*sub, command);
  return sub;
}

CLI::App* add_stats(CLI::App& app, ReadCommand& command) {
  CLI::App* sub = add_reading_command(app, command, "stats",
                                      "Prints how many images and objects there are, by class and\n"
                                      "size.");
  sub->add_option("--json", command.json, "Write them as JSON too");
  sub->add_option("--picture", command.picture, "Write charts of them, .png or .jpg");
  return sub;
}

CLI::App* add_show(CLI::App& app, ReadCommand& command) {
  CLI::App* sub =
      add_reading_command(app, command, "show",
                          "Draws what is annotated over the pictures, OUT/images/*.png,\n"
                          "and puts them on one, OUT/contact_sheet.png.");
  sub->add_option("--images", command.images,
                  "Folder that file names of an annotation file start from");
  sub->add_option("--out", command.out, "Folder to write to")->required();
  sub->add_option("--count", command.count, "How many images, spread evenly over the set; 0: all")
      ->check(whole_number_between(0, kMaxNumber))
      ->capture_default_str();
  sub->add_option("--columns", command.columns, "Of the contact sheet; 0: about as wide as high")
      ->check(whole_number_between(0, kMaxNumber))
      ->capture_default_str();
  return sub;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Makes, checks, converts, describes and shows data sets.\n\n"
      "  dataset shapes --out shapes --images 500 --val-images 100\n"
      "  dataset voc2coco VOCdevkit/VOC2012 --split train --out voc\n"
      "  dataset check shapes --split val\n"
      "  dataset stats shapes --split val --picture counts.png\n"
      "  dataset show shapes --split val --out look"};
  app.name("dataset");
  app.require_subcommand(1);
  ShapesCommand shapes;
  ReadCommand voc;
  ReadCommand stats;
  add_shapes(app, shapes);
  CLI::App* voc2coco = app.add_subcommand("voc2coco",
                                          "Writes a PASCAL VOC data set with masks as COCO\n"
                                          "annotations, OUT/annotations/instances_SPLIT.json, and\n"
                                          "links OUT/SPLIT to its pictures.");
  voc2coco->add_option("dir", voc.path, "Folder with ImageSets, JPEGImages, ..., or one above it")
      ->required();
  voc2coco->add_option("--split", voc.split, "Name of a list in ImageSets/Segmentation")
      ->capture_default_str();
  add_reading_options(*voc2coco, voc);
  voc2coco->add_option("--out", voc.out, "Folder to write to")->required();
  voc2coco->add_flag("--force", voc.force, "Replace other annotations of that name");
  CLI::App* describe = add_stats(app, stats);
  ReadCommand look;
  CLI::App* look_app = add_show(app, look);
  const DatasetCommand check = add_check_command(app);
  if (const std::optional<int> done = parse_command_line(app, argc, argv)) return *done;
  if (app.got_subcommand(voc2coco)) return convert_voc(voc);
  if (app.got_subcommand(describe)) return print_stats(stats);
  if (app.got_subcommand(look_app)) return show(look);
  if (app.got_subcommand(check.app)) return check.run();
  return make_shapes(shapes);
}

}  // namespace

int main(int argc, char** argv) {
  return mrcnn::run_program("dataset", [&] { return run(argc, argv); });
}
