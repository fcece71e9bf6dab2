// What a GPU needs once per process: its stream, its memory pool, its properties, a workspace for
// library calls, and counters.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/device.h"
#include "core/stream.h"

namespace mrcnn::cuda {

// Makes the device the calling thread's current one. Throws DeviceError if there is none such.
void make_current(Device device);
cudaDeviceProp device_properties(Device device);
Device current_device();  // of the calling thread

// Scratch memory for a library call on `stream`, valid until the next call asks on that stream.
// It grows when needed, which is not possible while the stream is being captured: run once
// outside a capture before. Throws CudaError then.
void* workspace(int64_t bytes, Stream stream);

bool is_capturing(Stream stream);

// allocate_device without regard to an arena.
std::shared_ptr<std::byte> allocate_from_pool(int64_t bytes, Device device);

// Counts a launch, and waits for it if MRCNN_SYNC_LAUNCHES says so. `name` is "<op>_<pass>".
void after_launch(const char* name, Stream stream);

void count_launch();
void count_graph_launch();
void count_sync();
void count_upload();
void count_download();

}  // namespace mrcnn::cuda
