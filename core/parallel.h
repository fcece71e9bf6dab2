// Parallel loops on the OpenMP pool that oneDNN uses too. In the thread-sanitizer build loops run
// serially, because libgomp's synchronisation is invisible to the checker.
#pragma once

#include <cstdint>
#include <functional>

namespace mrcnn {

int num_threads();
void set_num_threads(int count);  // at least 1; the whole program

// Calls body(chunk_begin, chunk_end) for consecutive chunks of at most `grain` indices that cover
// [begin, end). Chunks are handed out in order as threads become free, so a result must not depend
// on which thread ran a chunk. The first exception of a body is rethrown after all have ended.
// Runs serially when there is one chunk, one thread, or when called from inside a parallel loop.
void parallel_for(int64_t begin, int64_t end, int64_t grain,
                  const std::function<void(int64_t, int64_t)>& body);

}  // namespace mrcnn
