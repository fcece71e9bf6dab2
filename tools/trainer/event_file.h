// Curves and pictures for TensorBoard, written without its libraries: records framed with masked
// CRC-32C, each one a protobuf message of type Event.
// Source: tensorflow/core/util/event.proto, framework/summary.proto and lib/io/record_writer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/trainer/append_file.h"

namespace mrcnn {

// Seconds since 1970, with fractions.
using WallClock = std::function<double()>;
WallClock system_clock();

class EventFile {
 public:
  // A new file in `directory`, which sorts after those of earlier starts. Steps from `next_step` on
  // that those hold are marked as done again, and TensorBoard forgets them.
  EventFile(const std::string& directory, int64_t next_step, WallClock clock = system_clock());

  void scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values);
  // An encoded RGB picture, PNG or JPEG.
  void image(int64_t step, std::string_view tag, int64_t height, int64_t width,
             std::span<const std::byte> encoded);
  void sync() { file_.sync(); }
  const std::string& path() const { return file_.path(); }

 private:
  void write_event(int64_t step, int field, std::string_view content);

  WallClock clock_;
  AppendFile file_;
};

// The frame around one record; for tests.
std::string event_record(std::string_view payload);

}  // namespace mrcnn
