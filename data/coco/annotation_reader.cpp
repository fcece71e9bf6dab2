#include "data/coco/annotation_reader.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "core/parallel.h"
#include "data/coco/json_sections.h"
#include "data/coco/piece_parser.h"

namespace mrcnn {
namespace {

// In annotation files, one byte of packed geometry stands for four of text or more.
constexpr int64_t kTextPerGeometryWord = 4 * static_cast<int64_t>(sizeof(uint32_t));

class Reader {
 public:
  Reader(SourceFile& source, const CocoProblemHandler& on_problem)
      : path_(source.path()), sections_(source), builder_(source.path(), on_problem) {
    builder_.reserve_geometry(static_cast<size_t>(source.stamp().size / kTextPerGeometryWord));
  }

  // What each thread does until the file ends.
  void work() {
    PieceParser parser(path_);
    JsonPiece piece;
    while (take(piece)) {
      try {
        put(piece.number, parser.parse(piece));
      } catch (...) {
        fail(piece.number);
      }
    }
  }

  ReadAnnotations finish() && {
    if (error_) std::rethrow_exception(error_);
    ReadAnnotations result;
    result.tables = std::move(builder_).finish();
    result.source_sha256 = sections_.sha256();
    result.num_problems = builder_.num_problems();
    return result;
  }

 private:
  bool take(JsonPiece& piece) {
    const std::lock_guard lock(take_mutex_);
    if (ended_) return false;
    try {
      ended_ = !sections_.next(piece);
    } catch (...) {
      fail(sections_.num_pieces());
      ended_ = true;
    }
    return !ended_;
  }

  // Adds the piece when all before it are added.
  void put(int64_t number, ParsedPiece&& piece) {
    const std::lock_guard lock(put_mutex_);
    waiting_.emplace(number, std::move(piece));
    while (!waiting_.empty() && waiting_.begin()->first == num_added_) {
      const int64_t current = num_added_++;
      ParsedPiece next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (current > last_wanted_) continue;
      try {
        builder_.add(std::move(next));
      } catch (...) {
        keep_first_error(current);
      }
    }
  }

  void fail(int64_t number) {
    const std::lock_guard lock(put_mutex_);
    keep_first_error(number);
  }

  // Inside a handler. No more pieces are taken, but those before this one may have an error too.
  void keep_first_error(int64_t number) {
    if (number <= last_wanted_) {
      error_ = std::current_exception();
      last_wanted_ = number - 1;
    }
    ended_ = true;
  }

  std::string path_;
  std::mutex take_mutex_;
  JsonSections sections_;
  std::atomic<bool> ended_ = false;

  std::mutex put_mutex_;
  TableBuilder builder_;
  std::map<int64_t, ParsedPiece> waiting_;  // for one before them
  int64_t num_added_ = 0;
  int64_t last_wanted_ = INT64_MAX;
  std::exception_ptr error_;
};

}  // namespace

ReadAnnotations read_annotations(SourceFile& source, const CocoProblemHandler& on_problem) {
  Reader reader(source, on_problem);
  parallel_for(0, num_threads(), 1, [&reader](int64_t, int64_t) { reader.work(); });
  ReadAnnotations result = std::move(reader).finish();
  source.check_unchanged();
  return result;
}

}  // namespace mrcnn
