#include "tests/emulation/crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/emulation/emulated_cuda.h"
#include "tests/emulation/engine.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/symbols.h"

// Of the AddressSanitizer runtime, where the program is linked with it.
extern "C" void* __asan_get_report_address() __attribute__((weak));

namespace emu {
namespace {

struct sigaction g_previous_segv, g_previous_bus;
bool g_reported = false;

void print(const std::string& text) {
  const std::string line = "emulated CUDA: " + text + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

const void* program_counter(const ucontext_t& context) {
#if defined(__x86_64__)
  return reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RIP]);
#else
  return reinterpret_cast<const void*>(context.uc_mcontext.pc);
#endif
}

// Lines of the instruction itself: source_lines() expects a return address.
std::string lines_of_instruction(const void* instruction) {
  return source_lines(static_cast<const char*>(instruction) + 1);
}

// The host functions that led to the present signal, innermost first.
std::string callers(const void* instruction) {
  void* frames[32];
  const int count = backtrace(frames, 32);
  std::string text = lines_of_instruction(instruction);
  int shown = 0;
  bool below_signal = false;
  for (int i = 0; i < count && shown < 8; ++i) {
    if (!below_signal) {
      below_signal = frames[i] == instruction;
      continue;
    }
    const std::string name = function_at(frames[i]);
    if (name == "?") continue;
    text += "\n    called from " + name + source_lines(frames[i]);
    ++shown;
  }
  return text;
}

bool is_stack_overflow(const char* address) {
  if (engine.current == nullptr || engine.current->fiber == nullptr) return false;
  const char* const stack = engine.current->fiber->stack;
  return address < stack && address >= stack - kGuardBytes;
}

std::string explain(const char* address, const void* instruction) {
  char at[40];
  std::snprintf(at, sizeof(at), "%p", static_cast<const void*>(address));
  if (is_stack_overflow(address)) {
    return "a device thread needs more than " + std::to_string(kStackBytes / 1024) +
           " KiB of stack in " + where();
  }
  if (engine.current != nullptr) {
    return std::string("access to invalid address ") + at + ": " + describe_address(address) +
           lines_of_instruction(instruction) + "\n    in " + where();
  }
  return std::string("host code touches device memory at ") + at + ": " +
         describe_address(address) + callers(instruction);
}

// Says what it knows and gives the signal to whoever had it before.
void on_bad_access(int signal, siginfo_t* info, void* context) {
  const auto* const address = static_cast<const char*>(info->si_addr);
  if (engine.current != nullptr || in_device_memory(address)) {
    engine.in_runtime = true;
    print(explain(address, program_counter(*static_cast<ucontext_t*>(context))));
    g_reported = true;
  }
  sigaction(signal, signal == SIGSEGV ? &g_previous_segv : &g_previous_bus, nullptr);
}

void on_sanitizer_report() {
  if (g_reported) return;
  engine.in_runtime = true;
  if (__asan_get_report_address != nullptr) {
    const void* const address = __asan_get_report_address();
    if (in_device_memory(address)) print("that is " + describe_address(address));
  }
  if (engine.launch != nullptr) print("this happened in " + where());
}

// Comes after every second of processor time.
void on_watchdog(int, siginfo_t*, void* context) {
  static uint64_t seen_launches = 0;
  static int seconds = 0;
  if (engine.launch == nullptr || stats().launches != seen_launches) {
    seen_launches = stats().launches;
    seconds = 0;
    return;
  }
  if (++seconds <= options().watchdog_seconds) return;
  engine.in_runtime = true;
  print("watchdog: still running after " + std::to_string(seconds) + " s of processor time in " +
        where() + lines_of_instruction(program_counter(*static_cast<ucontext_t*>(context))));
  _exit(124);
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* previous) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, previous);
}

// Each sanitizer's library has its own callback, under the same name.
int watch_sanitizer(dl_phdr_info* info, size_t, void*) {
  if (std::strstr(info->dlpi_name, "san.so") == nullptr) return 0;
  void* const library = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return 0;
  using SetCallback = void (*)(void (*)());
  const auto set = reinterpret_cast<SetCallback>(dlsym(library, "__sanitizer_set_death_callback"));
  if (set != nullptr) set(on_sanitizer_report);
  dlclose(library);
  return 0;
}

class SignalStack {
 public:
  SignalStack() {
    stack_t present{};
    if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
    memory_ = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return;
    const stack_t own{.ss_sp = memory_, .ss_flags = 0, .ss_size = kBytes};
    sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    if (memory_ == MAP_FAILED) return;
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
    munmap(memory_, kBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr size_t kBytes = 256 * 1024;  // reports read symbol tables on it
  void* memory_ = MAP_FAILED;
};

}  // namespace

void install_crash_reports() {
  static const bool once = [] {
    handle(SIGSEGV, on_bad_access, &g_previous_segv);
    handle(SIGBUS, on_bad_access, &g_previous_bus);
    dl_iterate_phdr(watch_sanitizer, nullptr);
    return true;
  }();
  static_cast<void>(once);
}

void use_signal_stack() { static thread_local const SignalStack t_stack; }

void start_watchdog() {
  static const bool once = [] {
    handle(SIGPROF, on_watchdog, nullptr);
    const itimerval every_second{.it_interval = {1, 0}, .it_value = {1, 0}};
    return setitimer(ITIMER_PROF, &every_second, nullptr) == 0;
  }();
  static_cast<void>(once);
}

}  // namespace emu
