// gpu_info.json: how fast which GPU trained and evaluated, as the original system keeps it.
//
//   {"<name>": {"performance": {"<number of GPUs>": {"maskrcnn": [[train, evaluate], ...]}},
//               "properties": {"capability": [8, 0], "name": "<name>", "sm_count": 108,
//                              "total_momory": 79.15}}}
//
// Keys are sorted; speeds are images per second, memory GiB, both rounded to two decimals.
// "momory" is the original's spelling.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/cuda/probe.h"

namespace mrcnn {

struct GpuSpeed {
  double train = 0;  // images per second
  double evaluate = 0;
};

// Adds a record to the file, which is replaced as a whole or made. Nothing happens where the GPUs
// are not all of one name, or there are none. A file that holds something else is left alone; the
// result says so and is empty otherwise. Throws FileError when reading or writing fails.
std::string record_gpu_speed(const std::string& path, const std::vector<CudaProperties>& gpus,
                             const GpuSpeed& speed);

}  // namespace mrcnn
