#include "tools/watchdog.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "core/exit_code.h"
#include "tools/clock.h"
#include "tools/stack_dump.h"

namespace mrcnn {
namespace {

constexpr double kTickS = 0.1;

// Past the buffers of the standard streams, which a hanging thread may hold, and without waiting
// for a reader that is gone.
void write_to_standard_error(std::string_view text) {
  constexpr size_t kAlwaysTaken = 512;  // by a pipe that has room at all
  constexpr int kPatienceMs = 2000;
  while (!text.empty()) {
    pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, kPatienceMs) != 1) return;
    const ssize_t count = ::write(STDERR_FILENO, text.data(), std::min(text.size(), kAlwaysTaken));
    if (count < 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

Watchdog::Watchdog(OnHang on_hang) : on_hang_(std::move(on_hang)) {
  prepare_stack_dump();
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  over_.notify_all();
  thread_.join();
}

void Watchdog::beat() {
  const std::lock_guard lock(mutex_);
  idle_s_ = 0;
}

void Watchdog::enter(std::string name, double limit_s) {
  const std::lock_guard lock(mutex_);
  phase_ = std::move(name);
  limit_s_ = limit_s;
  idle_s_ = 0;
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  double last_s = monotonic_seconds();
  while (!stopping_) {
    over_.wait_for(lock, std::chrono::duration<double>(kTickS));
    const double now_s = monotonic_seconds();
    // A tick that took long is time in which this thread did not run either.
    idle_s_ += std::min(now_s - last_s, 2 * kTickS);
    last_s = now_s;
    if (stopping_ || limit_s_ <= 0 || idle_s_ <= limit_s_) continue;
    const std::string what = fmt::format("{}: no progress for {:.0f} s", phase_, limit_s_);
    lock.unlock();
    on_hang_(what);
    return;
  }
}

Watchdog::Phase::Phase(Watchdog& watchdog, std::string name, double limit_s) : watchdog_(watchdog) {
  {
    const std::lock_guard lock(watchdog.mutex_);
    outer_name_ = watchdog.phase_;
    outer_limit_s_ = watchdog.limit_s_;
  }
  watchdog_.enter(std::move(name), limit_s);
}

Watchdog::Phase::~Phase() { watchdog_.enter(std::move(outer_name_), outer_limit_s_); }

void end_hanging_program(const std::string& program, const std::string& what) {
  write_to_standard_error(fmt::format("\n{}{}: {}; above is what its threads do\n",
                                      stacks_of_all_threads(), program, what));
  ::_exit(static_cast<int>(ExitCode::kHang));
}

}  // namespace mrcnn
