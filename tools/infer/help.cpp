// The text of `infer --help`. A test holds it against the options that exist.
#include <fmt/format.h>

#include "models/zoo.h"
#include "tools/infer/options.h"

namespace mrcnn {
namespace {

constexpr std::string_view kText =
    R"(infer: finds objects in photos: boxes, classes, scores and masks.

Examples
  infer --weights model.safetensors photo.jpg
  infer --weights model.pth photos/ --json results.json --overlay drawn/
  infer --weights model.safetensors 'photos/*.jpg' --score 0.7 --classes person,dog --json -
  find . -name '*.png' | infer --weights model.safetensors - --masks ids/

Usage: infer --weights FILE [options] IMAGE...
  IMAGE is a file, a directory (searched recursively for .jpg .jpeg .jpe .jfif .png; hidden entries
  are left out), a 'pattern*', @FILE (a list, one name a line) or - (a list on standard input).

Model
  --weights FILE        .pth, .pkl or .safetensors; 'seeded' or 'seeded:N' makes up weights that
                        find nothing meaningful, for trying things out
  --model NAME          which model the weights belong to   (default: as the weights say)
{models}
  --device DEVICE       auto, cpu, cuda or cuda:1           (default: {device})
  --precision P         fp32, or on a GPU tf32 or bf16: faster, boxes move by a fraction of a pixel
                                                            (default: {precision})
  --threads N           threads on the CPU                  (default: one per core)
  --batch N             images computed together            (default: {batch})

Detections
  --score X             lowest score, 0 to 1                (default: the model's, above)
  --nms X               boxes of one class that overlap by more than this (intersection over
                        union) count as one object          (default: the model's)
  --max-detections N    at most N objects in an image       (default: the model's)
  --classes A,B         only these classes, names or ids; taken from the objects that the three
                        options above leave                 (default: all)
  --exif apply|ignore   turn photos as their EXIF orientation says  (default: apply)
  --compat              maskrcnn_resnet50_c5: the original system's results, its faults included

Results
  --json FILE           COCO result records; - is standard output
  --polygons            with --json: outlines instead of run lengths
  --overlay DIR         photos with the objects drawn over them
  --masks DIR           PNG whose pixel is the object's number in its image, 0 elsewhere
  Without any of these a line per image is printed to standard error.

Behaviour
  --strict              the first bad image ends the run; otherwise it is reported and skipped
  --list FILE           the same as @FILE
  --progress auto|on|off  a bar on a terminal, lines elsewhere  (default: auto)
  -q, --quiet           print errors only
  -h, --help            this text
  --version             the version
  --show-limits         how much a file may ask of its reader

In the JSON an image's image_id is the number that its file name spells (000000000139.jpg: 139) if
it is one and no other image shares it, else its position in the list, from 1, or the next free
number. file_name is the path as found. category_id is the model's class id.
Pictures are named as the photo, below DIR as below the directory searched: photos/sea/a.jpg gives
DIR/sea/a.png. Photos that would share a name get -2, -3 and so on. Files there are replaced.
A file appears complete or not at all. After Ctrl-C the current batch is finished and its pictures
stay; the JSON is written only by a run that reaches the end.

Exit codes
  0  done                 3  an image or list could not be read (the rest was done)
  2  wrong command line   4  the weights could not be used
  5  disk full, no memory, no such device     8  a fault in the program
  130, 143  interrupted
)";

std::string model_lines() {
  std::string text;
  for (const std::string& name : model_names()) {
    const InferenceConfig defaults = model_config(name).inference;
    text += fmt::format("{}{:24}{:24} --score {} --nms {} --max-detections {}",
                        text.empty() ? "" : "\n", "", name, defaults.score_threshold,
                        defaults.nms_threshold, defaults.max_detections);
  }
  return text;
}

}  // namespace

std::string infer_help() {
  const InferOptions options;
  return fmt::format(kText, fmt::arg("models", model_lines()), fmt::arg("device", options.device),
                     fmt::arg("precision", precision_name(options.precision)),
                     fmt::arg("batch", options.batch));
}

}  // namespace mrcnn
