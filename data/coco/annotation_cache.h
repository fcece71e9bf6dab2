// Parsed annotations on disk, so that only the first program that opens a large annotation file
// waits for its parsing:
//   <directory>/annotations/<stem of the file's name>-<16 digits of its path's hash>.tables
// One file per annotation file, replaced when that changes, mapped into memory and used in place.
//
// It counts as current if the annotation file's size, times, inode and device are those of when it
// was read and it had been left alone for two seconds then (SourceFile::is_settled). Otherwise,
// when the sizes are equal, the SHA-256 of the whole annotation file decides, and the cache takes
// the new stamp. So a copied or touched file is hashed once, and a changed one is always noticed.
//
// Before it is used, form, version, counts, a checksum of every byte and the bounds of every row
// are checked. A cache is an aid: one that is damaged, foreign or of another version counts as
// absent and is replaced, and where none can be written there is none. Programs replace it as a
// whole and never change it in place; who truncates it while a program runs ends that program.
#pragma once

#include <optional>
#include <string>

#include "data/coco/annotation_tables.h"
#include "data/coco/source_file.h"

namespace mrcnn {

class AnnotationCache {
 public:
  // With "" as the directory nothing is kept.
  AnnotationCache(const std::string& directory, const std::string& source_path);

  // The tables of this source, if they are kept. May read the source from its beginning on.
  std::optional<AnnotationTables> load(SourceFile& source) const;
  // Whether it was written.
  bool store(const AnnotationTables& tables, const SourceFile& source,
             const Digest& source_sha256) const;

  const std::string& path() const { return path_; }  // "" if nothing is kept

 private:
  std::string path_;
};

}  // namespace mrcnn
