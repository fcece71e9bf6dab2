// Copies between host and device through page-locked memory: the device reads and writes it without
// the host waiting, and the caller's own memory may go away at once.
#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/handles.h"
#include "core/device_memory.h"
#include "core/fault.h"

namespace mrcnn {
namespace {

// A piece is large against the cost of starting a copy; four of them bound the page-locked memory.
constexpr int64_t kPieceBytes = int64_t{16} << 20;
constexpr size_t kMaxPieces = 4;

class PinnedMemory {
 public:
  explicit PinnedMemory(int64_t bytes) : bytes_(bytes) {
    void* memory = nullptr;
    const bool refused = fault_at({.name = "cudaMallocHost"}).kind == FaultKind::kError;
    MRCNN_CUDA_CHECK(refused ? cudaErrorMemoryAllocation
                             : cudaMallocHost(&memory, static_cast<size_t>(bytes)));
    memory_ = static_cast<std::byte*>(memory);
  }
  ~PinnedMemory() {
    if (memory_ != nullptr) cudaFreeHost(memory_);
  }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  std::byte* data() const { return memory_; }
  int64_t bytes() const { return bytes_; }

 private:
  std::byte* memory_ = nullptr;
  int64_t bytes_;
};

// Page-locked memory on its way to the device; `done` tells when it may be written again.
struct Piece {
  std::unique_ptr<PinnedMemory> memory;
  cuda::OwnedEvent done;
};

class Staging {
 public:
  void upload(std::byte* to, const std::byte* from, int64_t bytes, Stream stream) {
    const std::lock_guard lock(mutex_);
    for (int64_t begin = 0; begin < bytes; begin += kPieceBytes) {
      const int64_t size = std::min(kPieceBytes, bytes - begin);
      Piece& piece = free_piece(size);
      std::memcpy(piece.memory->data(), from + begin, static_cast<size_t>(size));
      MRCNN_CUDA_CHECK(cudaMemcpyAsync(to + begin, piece.memory->data(), static_cast<size_t>(size),
                                       cudaMemcpyHostToDevice, stream));
      MRCNN_CUDA_CHECK(cudaEventRecord(piece.done.get(), stream));
    }
  }

  void download(std::span<const HostCopy> copies, Stream stream) {
    const std::lock_guard lock(mutex_);
    int64_t total = 0;
    for (const HostCopy& copy : copies) total += copy.bytes;
    if (!results_ || results_->bytes() < total) {
      results_ = std::make_unique<PinnedMemory>(std::max(total, kPieceBytes / 16));
    }
    int64_t offset = 0;
    for (const HostCopy& copy : copies) {
      if (copy.bytes == 0) continue;
      MRCNN_CUDA_CHECK(cudaMemcpyAsync(results_->data() + offset, copy.from,
                                       static_cast<size_t>(copy.bytes), cudaMemcpyDeviceToHost,
                                       stream));
      offset += copy.bytes;
    }
    MRCNN_CUDA_CHECK(cudaStreamSynchronize(stream));
    cuda::count_sync();
    offset = 0;
    for (const HostCopy& copy : copies) {
      if (copy.bytes == 0) continue;
      std::memcpy(copy.to, results_->data() + offset, static_cast<size_t>(copy.bytes));
      offset += copy.bytes;
    }
  }

 private:
  // One that the device is done with; waits for the oldest when all are on their way.
  Piece& free_piece(int64_t bytes) {
    for (size_t i = 0; i < pieces_.size(); ++i) {
      const cudaError_t status = cudaEventQuery(pieces_[i].done.get());
      if (status == cudaErrorNotReady) continue;
      MRCNN_CUDA_CHECK(status);
      return grown(pieces_[i], bytes);
    }
    if (pieces_.size() < kMaxPieces) {
      pieces_.push_back({std::make_unique<PinnedMemory>(bytes), cuda::OwnedEvent()});
      return pieces_.back();
    }
    next_ = (next_ + 1) % pieces_.size();
    MRCNN_CUDA_CHECK(cudaEventSynchronize(pieces_[next_].done.get()));
    cuda::count_sync();
    return grown(pieces_[next_], bytes);
  }

  static Piece& grown(Piece& piece, int64_t bytes) {
    if (piece.memory->bytes() < bytes) piece.memory = std::make_unique<PinnedMemory>(bytes);
    return piece;
  }

  std::mutex mutex_;
  std::vector<Piece> pieces_;
  size_t next_ = 0;
  std::unique_ptr<PinnedMemory> results_;
};

// One for all devices, never destroyed: the driver may be gone when static destructors run.
Staging& staging() {
  static auto* const shared = std::make_unique<Staging>().release();
  return *shared;
}

}  // namespace

void upload_bytes(std::byte* to, Device device, const std::byte* from, int64_t bytes) {
  if (bytes == 0) return;
  staging().upload(to, from, bytes, device_stream(device));
  cuda::count_upload();
}

void download_bytes(std::span<const HostCopy> copies, Device device) {
  staging().download(copies, device_stream(device));
  cuda::count_download();
}

}  // namespace mrcnn
