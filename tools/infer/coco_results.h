// Results as COCO writes them: one JSON array, one record and one line per object.
//   {"image_id":139,"category_id":1,"bbox":[x,y,width,height],"score":0.98,
//    "segmentation":{"size":[height,width],"counts":"..."},"file_name":"val/000000000139.jpg"}
// category_id is the model's label. `file_name` is ours: the path as the image was found.
// Format: https://cocodataset.org/#format-results
#pragma once

#include <memory>
#include <string>

#include "tools/infer/result_sink.h"
#include "tools/report/json_writer.h"

namespace mrcnn {

enum class MaskForm {
  kRle,       // COCO's compressed runs: exact
  kPolygons,  // outlines along pixel edges: exact too, holes tied to the outside by a slit
};

class DocumentOutput;

class CocoResults : public ResultSink {
 public:
  // `path`: a file, or "-" for standard output. Nothing appears there before finish().
  CocoResults(const std::string& path, MaskForm form);
  ~CocoResults() override;

  bool needs_masks() const override { return true; }
  void consume(const ImageResult& result) override;
  void finish() override;

 private:
  void write_segmentation(const Rle& mask);

  std::unique_ptr<DocumentOutput> output_;
  JsonWriter json_;
  const MaskForm form_;
};

}  // namespace mrcnn
