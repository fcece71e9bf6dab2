// The text of `evaluate --help`. A test holds it against the options that exist.
#include "tools/evaluate/options.h"

namespace mrcnn {

std::string evaluate_help() {
  return R"(evaluate: how good detections are, in COCO's numbers.

Examples
  evaluate --results results.json --ground-truth instances_val2017.json
  evaluate --weights runs/mine/final.safetensors --data coco2017 --split val2017 --per-class
  evaluate --compare before.json after.json --ground-truth instances_val2017.json

Usage: evaluate --results FILE | --weights FILE | --compare A B
                --ground-truth FILE | --data DIR [options]

What is evaluated
  --results FILE        detections of any program in COCO's format of results: a list of image_id,
                        category_id, score, and bbox or segmentation or both
  --weights FILE        a model: .pth, .pkl or .safetensors, as for infer
  --compare A B         two files of results: how much better B is, and how sure that is
  --iou-type A,B        bbox, segm or both     (default: both, or bbox if no result has a mask)
  --skip-unknown        leave out results in images or of categories that the ground truth does
                        not have; otherwise they are errors

What it is compared with
  --ground-truth FILE   COCO annotations
  --images DIR          the folder of their pictures, for --weights
  --data DIR            a folder of a COCO or PASCAL VOC data set instead, and
  --split NAME          which part of it       (default: val)

Model
  --model NAME          which model the weights belong to  (default: as the weights say)
  --device DEVICE       auto, cpu, cuda or cuda:1          (default: auto)
  --precision P         fp32, or on a GPU tf32 or bf16     (default: fp32)
  --score X             lowest score, 0 to 1               (default: the model's)
  --batch N             images computed together           (default: 1)
  --max-images N        only the first N images; the numbers are of those
  --results-out FILE    keep the detections, in COCO's format of results

Output
  A table as pycocotools prints it, to standard output. The numbers equal its to the last bit.
  --per-class           also a line for every class
  --voc                 also PASCAL VOC's AP, as of 2007 and of 2012, at an IoU of 0.5
  --bootstrap N         95 % intervals from N resamples of the images (--compare: default 1000)
  --seed N              other resamples        (default: 0)
  --json FILE           the numbers with all digits: {"bbox": {"AP": ..., "AP50": ...}, "segm": ...}
  --csv FILE            the same as a table
  --html FILE           a page: tables, curves, scores, the worst mistakes as pictures. It loads
                        nothing from anywhere. With --ground-truth, --images has the pictures
  --confusion FILE      which class is taken for which, as a table: detections with a score of 0.5
                        or more, from an IoU of 0.5 on
  Of --json, --csv, --confusion and --results-out one may be -, standard output; the table then goes
  to standard error. -1 stands for nothing to find: no object of that size.

Behaviour
  --strict-pycocotools  pycocotools' oddities too: an object whose id is 0 is never found, and the
                        area of a result with a box is that of the box even where masks are compared
  --numpy-sum blocks|whole  means as pycocotools gets them from numpy before 2.3, or from later
                        ones; they can differ in the last bit  (default: blocks)
  --threads N           threads on the CPU     (default: one per core)
  --progress auto|on|off  of --weights: a bar on a terminal, lines elsewhere  (default: auto)
  -q, --quiet           no table and no remarks; only files and errors
  -h, --help            this text
  --version             the version
  --show-limits         how much a file may ask of its reader

Exit codes
  0  done                     2  wrong command line
  3  results or annotations cannot be used, or images could not be read (these count as images in
     which nothing was found)
  4  the weights could not be used
  5  disk full, no memory, no such device     8  a fault in the program
  130, 143  interrupted: nothing is written
)";
}

}  // namespace mrcnn
