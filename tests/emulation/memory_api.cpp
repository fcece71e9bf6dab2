// Allocations, copies and fills.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "tests/emulation/checks.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/report.h"
#include "tests/emulation/streams.h"

namespace emu {
namespace {

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
  bool to_device, from_device;
};

void run_copy(const Copy& copy) {
  const char* problem = copy.from_device ? range_problem(copy.from, copy.bytes) : nullptr;
  const char* side = "source";
  if (problem == nullptr && copy.to_device) {
    problem = range_problem(copy.to, copy.bytes);
    side = "target";
  }
  if (problem != nullptr) {
    const void* const address = side[0] == 's' ? copy.from : copy.to;
    return fault(cudaErrorIllegalAddress, "copy of " + std::to_string(copy.bytes) +
                                              " bytes: " + side + " is " + problem + ": " +
                                              describe_address(address));
  }
  copy_marks(copy.to, copy.from, copy.bytes);
  std::memmove(copy.to, copy.from, copy.bytes);
}

// Is the direction of a copy what its addresses say?
bool is_direction(const Copy& copy, cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !copy.from_device && !copy.to_device;
    case cudaMemcpyHostToDevice:
      return !copy.from_device && copy.to_device;
    case cudaMemcpyDeviceToHost:
      return copy.from_device && !copy.to_device;
    case cudaMemcpyDeviceToDevice:
      return copy.from_device && copy.to_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

bool is_capturing(cudaStream_t handle) {
  const std::shared_ptr<CUstream_st> stream = find_stream(handle);
  return stream && stream->capture;
}

// Pageable host memory goes through a buffer of the driver: the source is read during the call, the
// target is written before the call returns. Page-locked memory is read and written late.
cudaError_t enqueue_copy(Copy copy, cudaMemcpyKind kind, cudaStream_t stream) {
  if (fault_code() != cudaSuccess) return finish();
  if (copy.bytes == 0) return finish();
  if (!is_direction(copy, kind)) {
    return refuse(cudaErrorInvalidValue, "copy: the addresses do not fit the direction: to " +
                                             describe_address(copy.to) + ", from " +
                                             describe_address(copy.from));
  }
  const bool capturing = is_capturing(stream);
  const bool staged = !copy.from_device && !capturing && !is_pinned(copy.from, copy.bytes);
  if (staged) {
    const std::shared_ptr<char[]> buffer(new char[copy.bytes]);
    std::memcpy(buffer.get(), copy.from, copy.bytes);
    copy.from = buffer.get();
    return enqueue(stream, "cudaMemcpyAsync", {[copy, buffer] { run_copy(copy); }});
  }
  const cudaError_t status = enqueue(stream, "cudaMemcpyAsync", {[copy] { run_copy(copy); }});
  const bool waits = !copy.to_device && !capturing && !is_pinned(copy.to, copy.bytes);
  return status == cudaSuccess && waits ? cudaStreamSynchronize(stream) : status;
}

void release(void* pointer) {
  if (pointer == nullptr || release_device(pointer)) return;
  fault(cudaErrorInvalidValue,
        "cudaFree of a pointer that is not a live allocation: " + describe_address(pointer));
}

cudaError_t allocate(void** pointer, size_t bytes) {
  if (fault_code() != cudaSuccess) return finish();
  *pointer = bytes == 0 ? nullptr : allocate_device(bytes);
  if (bytes != 0 && *pointer == nullptr) {
    return refuse(cudaErrorMemoryAllocation, std::to_string(bytes) + " bytes do not fit");
  }
  return finish();
}

}  // namespace
}  // namespace emu

using emu::finish;
using emu::Locked;
using emu::refuse;

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  const Locked lock;
  const cudaError_t refused = emu::refuse_in_capture("cudaMalloc");
  return refused != cudaSuccess ? refused : emu::allocate(pointer, bytes);
}

// Graphs with allocations of their own are not emulated: a capture refuses them.
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t handle) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaMallocAsync: no stream");
  if (stream->capture) return emu::refuse_on_capturing(*stream, "cudaMallocAsync");
  return emu::allocate(pointer, bytes);
}

cudaError_t cudaFree(void* pointer) {
  const Locked lock;
  if (pointer == nullptr) return finish();
  const cudaError_t refused = emu::refuse_in_capture("cudaFree");
  if (refused != cudaSuccess) return refused;
  emu::run_everything();
  emu::release(pointer);
  return finish();
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t handle) {
  const Locked lock;
  const std::shared_ptr<CUstream_st> stream = emu::find_stream(handle);
  if (!stream) return refuse(cudaErrorInvalidResourceHandle, "cudaFreeAsync: no stream");
  if (stream->capture) return emu::refuse_on_capturing(*stream, "cudaFreeAsync");
  return emu::enqueue(handle, "cudaFreeAsync",
                      {[pointer] { emu::release(pointer); }, /*even_after_fault=*/true});
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  const Locked lock;
  const cudaError_t refused = emu::refuse_in_capture("cudaMallocHost");
  if (refused != cudaSuccess || emu::fault_code() != cudaSuccess) {
    return refused != cudaSuccess ? refused : finish();
  }
  *pointer = std::malloc(bytes);
  if (*pointer == nullptr) return refuse(cudaErrorMemoryAllocation, "page-locked host memory");
  std::memset(*pointer, emu::kPoison, bytes);
  emu::add_pinned(*pointer, bytes);
  return finish();
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  return cudaMallocHost(pointer, bytes);
}

cudaError_t cudaFreeHost(void* pointer) {
  const Locked lock;
  if (pointer == nullptr) return finish();
  const cudaError_t refused = emu::refuse_in_capture("cudaFreeHost");
  if (refused != cudaSuccess) return refused;
  emu::run_everything();  // as the device does
  if (!emu::remove_pinned(pointer)) {
    return refuse(cudaErrorInvalidValue, "cudaFreeHost of memory that is not page-locked");
  }
  std::free(pointer);
  return finish();
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const Locked lock;
  *total = emu::device_memory_use().total;
  *free = *total - emu::device_memory_use().used;
  return finish();
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const Locked lock;
  *attributes = {cudaMemoryTypeUnregistered, -2, nullptr, const_cast<void*>(pointer)};
  if (emu::is_pinned(pointer, 1)) {
    *attributes = {cudaMemoryTypeHost, 0, const_cast<void*>(pointer), const_cast<void*>(pointer)};
  } else if (emu::range_problem(pointer, 1) == nullptr) {
    *attributes = {cudaMemoryTypeDevice, 0, const_cast<void*>(pointer), nullptr};
  }
  return finish();
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  if (device != 0) return refuse(cudaErrorInvalidDevice, "there is only device 0");
  *pool = nullptr;  // the one pool
  return finish();
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void*) {
  const bool known = attribute == cudaMemPoolAttrReleaseThreshold ||
                     attribute == cudaMemPoolAttrReservedMemHigh ||
                     attribute == cudaMemPoolAttrUsedMemHigh;
  return known ? finish() : refuse(cudaErrorInvalidValue, "unknown attribute of a memory pool");
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void* value) {
  const Locked lock;
  const emu::DeviceMemoryUse use = emu::device_memory_use();
  const bool is_used =
      attribute == cudaMemPoolAttrUsedMemCurrent || attribute == cudaMemPoolAttrUsedMemHigh;
  *static_cast<uint64_t*>(value) = is_used ? use.used : use.reserved;
  return finish();
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return finish(); }

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Locked lock;
  return emu::enqueue_copy(
      {to, from, bytes, emu::in_device_memory(to), emu::in_device_memory(from)}, kind, stream);
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const Locked lock;
  const cudaError_t refused = emu::refuse_in_capture("cudaMemcpy");
  if (refused != cudaSuccess) return refused;
  const cudaError_t status = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return status == cudaSuccess ? cudaStreamSynchronize(nullptr) : status;
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  const Locked lock;
  if (width > to_pitch || width > from_pitch) {
    return refuse(cudaErrorInvalidValue, "cudaMemcpy2DAsync: rows overlap");
  }
  for (size_t row = 0; row < height; ++row) {
    const cudaError_t status =
        cudaMemcpyAsync(static_cast<char*>(to) + row * to_pitch,
                        static_cast<const char*>(from) + row * from_pitch, width, kind, stream);
    if (status != cudaSuccess) return status;
  }
  return finish();
}

cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t stream) {
  const Locked lock;
  return emu::enqueue(stream, "cudaMemsetAsync", {[=] {
                        if (const char* const problem = emu::range_problem(pointer, bytes)) {
                          return emu::fault(cudaErrorIllegalAddress,
                                            "cudaMemset of " + std::to_string(bytes) + " bytes: " +
                                                problem + ": " + emu::describe_address(pointer));
                        }
                        std::memset(pointer, value, bytes);
                        emu::mark_written(pointer, bytes);
                      }});
}

cudaError_t cudaMemset(void* pointer, int value, size_t bytes) {
  const Locked lock;
  const cudaError_t refused = emu::refuse_in_capture("cudaMemset");
  return refused != cudaSuccess ? refused : cudaMemsetAsync(pointer, value, bytes, nullptr);
}
