// Decodes the images that come next while the current ones are being worked on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "data/image/image.h"

namespace mrcnn {

using ImageLoader = std::function<Image(const std::string& path)>;

// One thread decodes the paths in order and stays at most `ahead` images in front, so memory is
// bounded by that many decoded pictures. Nothing but time depends on the thread.
class ImagePrefetcher {
 public:
  ImagePrefetcher(std::vector<std::string> paths, ImageLoader loader, int64_t ahead);

  // The next image in the order of the paths; rethrows what its loader threw. To be called at most
  // once per path.
  Image next();

 private:
  struct Decoded {
    Image image;
    std::exception_ptr failure;
  };

  void decode_all(const std::stop_token& stop);

  const std::vector<std::string> paths_;
  const ImageLoader loader_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Decoded> ready_;
  std::jthread thread_;  // last: it is stopped and joined before what it uses goes away
};

}  // namespace mrcnn
