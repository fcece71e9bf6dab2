// A whole annotation file into tables.
#pragma once

#include <cstdint>

#include "core/io/sha256.h"
#include "data/coco/annotation_tables.h"
#include "data/coco/source_file.h"
#include "data/coco/table_builder.h"

namespace mrcnn {

struct ReadAnnotations {
  AnnotationTables tables;
  int64_t num_problems = 0;  // elements left out
};

// All threads parse; besides the tables each holds one piece of the file, of about a megabyte.
// The result, and the error if there is one, do not depend on the number of threads: the first
// problem of the file is thrown. `on_problem` is called by one thread at a time. Throws FileError
// with ExitCode::kData; what is wrong with the file as a whole is thrown in any case. Every byte of
// the file goes into `hash` too, if there is one.
ReadAnnotations read_annotations(SourceFile& source, const CocoProblemHandler& on_problem,
                                 Sha256* hash = nullptr);

}  // namespace mrcnn
