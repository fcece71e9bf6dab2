// Takes from the logs of a run what came after the checkpoint it goes on from, so that no step
// appears twice. Files change as a whole or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mrcnn {

struct CutReport {
  int64_t kept = 0;
  int64_t dropped = 0;  // records of later steps, and ones that cannot be read (torn by a crash)
};

// One JSON object with a whole number "step" a line. Keeps the steps up to `last_step`. No file is
// as good as an empty one.
CutReport cut_json_lines(const std::string& path, int64_t last_step);

// A header and rows, the first column of which is the step; no value holds a comma. The file then
// has `columns` and after them those that only it had. Returns all of them in `columns`.
CutReport cut_csv(const std::string& path, int64_t last_step, std::vector<std::string>& columns);

}  // namespace mrcnn
