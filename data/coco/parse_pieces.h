// The pieces of a JSON file through all threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "core/parallel.h"
#include "data/coco/json_sections.h"

namespace mrcnn {

// One thread at a time takes a piece, all parse, and what was parsed is added in the order of the
// file. Of several errors that of the first piece is kept, whatever the number of threads.
template <typename Parsed>
class PieceParsing {
 public:
  using Add = std::function<void(Parsed&&)>;

  PieceParsing(JsonSections& sections, Add add) : sections_(sections), add_(std::move(add)) {}

  // What each thread does until the file ends; `parse` is the thread's own.
  template <typename Parse>
  void work(Parse&& parse) {
    JsonPiece piece;
    while (take(piece)) {
      try {
        put(piece.number, parse(piece));
      } catch (...) {
        fail(piece.number);
      }
    }
  }

  void rethrow_error() const {
    if (error_) std::rethrow_exception(error_);
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
  void put(int64_t number, Parsed&& parsed) {
    const std::lock_guard lock(put_mutex_);
    waiting_.emplace(number, std::move(parsed));
    while (!waiting_.empty() && waiting_.begin()->first == num_added_) {
      const int64_t current = num_added_++;
      Parsed next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (current > last_wanted_) continue;
      try {
        add_(std::move(next));
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

  std::mutex take_mutex_;
  JsonSections& sections_;
  std::atomic<bool> ended_ = false;

  std::mutex put_mutex_;
  const Add add_;
  std::map<int64_t, Parsed> waiting_;  // for one before them
  int64_t num_added_ = 0;
  int64_t last_wanted_ = INT64_MAX;
  std::exception_ptr error_;
};

// `make_parser` gives each thread its own function from a JsonPiece to a Parsed; `add` is called by
// one thread at a time. Throws what they threw, or the sections.
template <typename Parsed, typename MakeParser>
void parse_pieces(JsonSections& sections, MakeParser make_parser,
                  typename PieceParsing<Parsed>::Add add) {
  PieceParsing<Parsed> parsing(sections, std::move(add));
  parallel_for(0, num_threads(), 1, [&](int64_t, int64_t) { parsing.work(make_parser()); });
  parsing.rethrow_error();
}

}  // namespace mrcnn
