#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>

namespace mrcnn {

int num_threads() { return omp_get_max_threads(); }
void set_num_threads(int count) { omp_set_num_threads(std::max(count, 1)); }

void parallel_for(int64_t begin, int64_t end, int64_t grain,
                  const std::function<void(int64_t, int64_t)>& body) {
  if (begin >= end) return;
  const int64_t step = std::max<int64_t>(grain, 1);
  const int64_t chunks = (end - begin + step - 1) / step;
#if defined(__SANITIZE_THREAD__)
  const bool serial = true;
#else
  const bool serial = chunks == 1 || num_threads() == 1 || omp_in_parallel() != 0;
#endif
  if (serial) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      body(begin + chunk * step, std::min(end, begin + (chunk + 1) * step));
    }
    return;
  }
  std::exception_ptr first_error;
  std::mutex error_mutex;
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    try {
      body(begin + chunk * step, std::min(end, begin + (chunk + 1) * step));
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!first_error) first_error = std::current_exception();
    }
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace mrcnn
