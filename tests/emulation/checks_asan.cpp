// For builds without memory hooks: AddressSanitizer, where it is on, learns what is accessible. It
// reports bounds and released memory; uninitialised memory shows as poison in results.
#include "tests/emulation/checks.h"
#include "tests/emulation/engine.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) \
  (static_cast<void>(address), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) \
  (static_cast<void>(address), static_cast<void>(bytes))
#endif

namespace emu {

void start_checks(char*, size_t) {}

void mark_fresh(char* begin, size_t bytes, size_t span) {
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
  ASAN_POISON_MEMORY_REGION(begin + bytes, span - bytes);
}

void mark_released(char* begin, size_t bytes) { ASAN_POISON_MEMORY_REGION(begin, bytes); }
void mark_written(void*, size_t) {}
void copy_marks(void*, const void*, size_t) {}

void begin_checks(char* dynamic, size_t dynamic_bytes) {
  static size_t accessible = kMaxDynamicBytes;
  if (dynamic_bytes == accessible) return;
  accessible = dynamic_bytes;
  ASAN_UNPOISON_MEMORY_REGION(dynamic, dynamic_bytes);
  ASAN_POISON_MEMORY_REGION(dynamic + dynamic_bytes, kMaxDynamicBytes - dynamic_bytes);
}

void check_atomic(const void*, unsigned, const void*) {}

}  // namespace emu
