// Results as a line of text per image, for a run that asks for no file: "dog.jpg: 2 objects: dog
// 0.98, person 0.61".
#pragma once

#include <string>
#include <vector>

#include "tools/infer/result_sink.h"
#include "tools/report/progress.h"

namespace mrcnn {

// "dog", or "class 7" for a label without a name.
std::string class_text(int64_t label, const std::vector<std::string>& class_names);

std::string describe_result(const ImageResult& result, const std::vector<std::string>& class_names);

class TextResults : public ResultSink {
 public:
  TextResults(std::vector<std::string> class_names, Progress& progress)
      : class_names_(std::move(class_names)), progress_(progress) {}
  bool needs_masks() const override { return false; }
  void consume(const ImageResult& result) override {
    progress_.message(describe_result(result, class_names_));
  }

 private:
  const std::vector<std::string> class_names_;
  Progress& progress_;
};

}  // namespace mrcnn
