// A file of annotations, piece by piece: some at a time on all threads, results in the order of the
// file.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "data/coco/json_sections.h"

namespace mrcnn {

// work(piece) gives a Result, on any thread; take(piece, result) is called in order, on this one.
// Pieces that `wanted` refuses are skipped. Throws what reading and the two throw.
template <typename Result>
void for_each_piece(JsonSections& sections, const std::function<bool(const JsonPiece&)>& wanted,
                    const std::function<Result(const JsonPiece&)>& work,
                    const std::function<void(const JsonPiece&, Result&&)>& take) {
  const auto batch_size = static_cast<size_t>(4 * num_threads());
  std::vector<JsonPiece> pieces(batch_size);
  std::vector<Result> results(batch_size);
  bool more = true;
  while (more) {
    size_t count = 0;
    std::exception_ptr broken;  // what came before is still worked on
    try {
      while (count < batch_size && (more = sections.next(pieces[count]))) {
        if (wanted(pieces[count])) ++count;
      }
    } catch (...) {
      broken = std::current_exception();
    }
    parallel_for(0, static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        results[static_cast<size_t>(i)] = work(pieces[static_cast<size_t>(i)]);
      }
    });
    for (size_t i = 0; i < count; ++i) take(pieces[i], std::move(results[i]));
    if (broken) std::rethrow_exception(broken);
  }
}

}  // namespace mrcnn
