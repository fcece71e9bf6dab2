#include "tools/stack_dump.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

namespace mrcnn {
namespace {

constexpr int kMostFrames = 64;
constexpr int kAnswerSeconds = 1;

// What the handler writes and the asking thread reads after `answered`.
struct Answer {
  std::array<void*, kMostFrames> frames{};
  int count = 0;
  sem_t answered{};
};
Answer g_answer;
std::atomic<pid_t> g_asked{0};  // the thread whose answer is awaited

int signal_number() { return SIGRTMIN + 3; }

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

extern "C" {
static void answer_with_stack(int) {
  const int saved = errno;
  // An answer that comes too late must not be taken for another thread's.
  if (g_asked.load() == this_thread()) {
    g_answer.count = ::backtrace(g_answer.frames.data(), kMostFrames);
    sem_post(&g_answer.answered);
  }
  errno = saved;
}
}

bool wait_for_answer() {
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kAnswerSeconds;
  int result = -1;
  do {
    result = sem_timedwait(&g_answer.answered, &until);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

std::string demangled(const char* symbol) {
  int status = -1;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(symbol, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : symbol;
}

std::string describe(void* address) {
  Dl_info info{};
  const auto at = reinterpret_cast<uintptr_t>(address);
  if (::dladdr(address, &info) == 0) return fmt::format("{:#x}", at);
  const std::string object = info.dli_fname == nullptr ? "?" : info.dli_fname;
  if (info.dli_sname == nullptr) {
    // What addr2line -e OBJECT takes.
    return fmt::format("{} {:#x}", object, at - reinterpret_cast<uintptr_t>(info.dli_fbase));
  }
  return fmt::format("{} +{:#x}", demangled(info.dli_sname),
                     at - reinterpret_cast<uintptr_t>(info.dli_saddr));
}

std::string stack_of(pid_t thread) {
  g_asked = thread;
  if (::syscall(SYS_tgkill, ::getpid(), thread, signal_number()) != 0) return "";  // it has ended
  const bool answered = wait_for_answer();
  g_asked = 0;
  std::string text =
      fmt::format("thread {}{}\n", thread, thread == ::getpid() ? ", the main one" : "");
  if (!answered) return text + "  gives no answer: it waits in the kernel\n";
  constexpr int kOfTheSignal = 2;  // the handler and the kernel's way into it
  for (int i = kOfTheSignal; i < g_answer.count; ++i) {
    text += fmt::format("  {}\n", describe(g_answer.frames[static_cast<size_t>(i)]));
  }
  return text;
}

}  // namespace

void prepare_stack_dump() {
  static const bool once = [] {
    std::array<void*, 1> frame{};
    ::backtrace(frame.data(), 1);
    sem_init(&g_answer.answered, 0, 0);
    struct sigaction action {};
    action.sa_handler = answer_with_stack;
    action.sa_flags = static_cast<int>(SA_RESTART);
    sigemptyset(&action.sa_mask);
    return ::sigaction(signal_number(), &action, nullptr) == 0;
  }();
  static_cast<void>(once);
}

std::string stacks_of_all_threads() {
  std::string text;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/task", error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto thread = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    if (thread > 0 && thread != this_thread()) text += stack_of(thread);
  }
  return text;
}

}  // namespace mrcnn
