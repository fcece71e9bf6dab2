#include "tools/cli_main.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "core/error.h"
#include "tools/signal_thread.h"

namespace mrcnn {
namespace {

// A wrong argument may be as long as a system lets it be; its beginning tells which one it is.
std::string shortened(const std::string& message) {
  constexpr size_t kMost = 2000, kBegin = 1000, kEnd = 500;
  if (message.size() <= kMost) return message;
  return fmt::format("{} [{} bytes left out] {}", message.substr(0, kBegin),
                     message.size() - kBegin - kEnd, message.substr(message.size() - kEnd));
}

// One line, whatever the message was made of (a file name may hold line breaks).
int report(const char* name, std::string message, ExitCode code) {
  std::replace_if(
      message.begin(), message.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  std::fflush(stdout);
  fmt::print(stderr, "{}: {}\n", name, message);
  return static_cast<int>(code);
}

}  // namespace

int run_program(const char* name, const std::function<int()>& body) {
  // Past a file size limit write() then fails like on a full disk, instead of ending the process.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const SignalThread signals;
    return body();
  } catch (const Error& error) {
    const bool usage = error.exit_code() == ExitCode::kUsage;
    return report(name, usage ? shortened(error.what()) : error.what(), error.exit_code());
  } catch (const std::bad_alloc&) {
    return report(name, "out of memory", ExitCode::kResources);
  } catch (const std::system_error& error) {
    // Threads that the system does not give.
    const bool no_means = error.code() == std::errc::resource_unavailable_try_again ||
                          error.code() == std::errc::not_enough_memory;
    if (no_means) {
      return report(name, fmt::format("no more threads or memory: {}", error.what()),
                    ExitCode::kResources);
    }
    return report(name, fmt::format("internal error: {}", error.what()), ExitCode::kInternal);
  } catch (const std::exception& error) {
    return report(name, fmt::format("internal error: {}", error.what()), ExitCode::kInternal);
  }
}

}  // namespace mrcnn
