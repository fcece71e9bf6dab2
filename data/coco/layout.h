// Where the files of a COCO data set lie in its folder.
#pragma once

#include <string>

namespace mrcnn {

struct CocoLayout {
  std::string annotations;  // the file
  std::string images;       // the folder that file names start from
};

// Looks for the annotations of a split in
//   DIR/annotations/instances_<split>.json              as COCO is unpacked in DIR
//   DIR/annotations/annotations/instances_<split>.json  annotations.zip unpacked in DIR/annotations
//   DIR/instances_<split>.json
// and for its images in
//   DIR/<split>/<split>/   <split>.zip, which holds a folder of that name, unpacked in DIR/<split>
//   DIR/<split>/
// and takes the first of each that is there. Throws FileError with ExitCode::kData that tells what
// was looked for, which splits there are, and what to do.
CocoLayout find_coco_layout(const std::string& dir, const std::string& split);

}  // namespace mrcnn
