#include "tools/infer/prefetch.h"

#include <algorithm>
#include <utility>

namespace mrcnn {

ImagePrefetcher::ImagePrefetcher(std::vector<std::string> paths, ImageLoader loader, int64_t ahead)
    : paths_(std::move(paths)),
      loader_(std::move(loader)),
      ahead_(static_cast<size_t>(std::max<int64_t>(ahead, 1))),
      thread_([this](const std::stop_token& stop) { decode_all(stop); }) {}

Image ImagePrefetcher::next() {
  Decoded decoded;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty(); });
    decoded = std::move(ready_.front());
    ready_.pop_front();
  }
  changed_.notify_all();
  if (decoded.failure) std::rethrow_exception(decoded.failure);
  return std::move(decoded.image);
}

void ImagePrefetcher::decode_all(const std::stop_token& stop) {
  for (const std::string& path : paths_) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return ready_.size() < ahead_; })) return;
    }
    if (stop.stop_requested()) return;
    Decoded decoded;
    try {
      decoded.image = loader_(path);
    } catch (...) {
      decoded.failure = std::current_exception();  // next() hands it to the caller
    }
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(decoded));
    }
    changed_.notify_all();
  }
}

}  // namespace mrcnn
