#include "tests/support/faults.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace mrcnn::test {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 13> kErrors = {{
    {"EACCES", EACCES},
    {"EDQUOT", EDQUOT},
    {"EINTR", EINTR},
    {"EINVAL", EINVAL},
    {"EIO", EIO},
    {"EMFILE", EMFILE},
    {"ENFILE", ENFILE},
    {"ENOMEM", ENOMEM},
    {"ENOSPC", ENOSPC},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"EROFS", EROFS},
    {"ESTALE", ESTALE},
    {"fail", EIO},
}};

// All places of core/io/file_calls.cpp.
constexpr std::array<std::string_view, 15> kFileCalls = {
    "open",  "read",   "pread", "write", "pwrite", "lseek",  "fstat",    "fallocate",
    "fsync", "syncfs", "close", "flock", "rename", "unlink", "ftruncate"};

bool is_file_call(std::string_view name) {
  for (const std::string_view call : kFileCalls) {
    if (call == name) return true;
  }
  return false;
}

std::atomic<Faults*> g_faults{nullptr};

int64_t take_number(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 1) throw std::invalid_argument("a number from 1 up");
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

void Faults::parse(std::string_view text, Order& order) {
  const size_t at = text.find('@'), colon = text.find(':', at);
  if (at == text.npos || colon == text.npos) throw std::invalid_argument("ACTION@PLACE:WHEN");
  const std::string_view action = text.substr(0, at);
  order.place = text.substr(at + 1, colon - at - 1);
  std::string_view when = text.substr(colon + 1);
  order.first = take_number(when);
  if (when.starts_with('+')) {
    when.remove_prefix(1);
    order.step = when.empty() ? 1 : take_number(when);
  }
  if (!when.empty()) throw std::invalid_argument("N, N+ or N+S");
  if (action == "kill") {
    order.action = Order::Action::kKill;
  } else if (action == "hang") {
    order.action = Order::Action::kHang;
  } else if (action == "short") {
    order.fault.kind = FaultKind::kShort;
  } else if (action == "nan") {
    order.fault.kind = FaultKind::kNan;
  } else {
    for (const auto& [name, error] : kErrors) {
      if (name == action) order.fault = {FaultKind::kError, error};
    }
    if (order.fault.kind == FaultKind::kNone) throw std::invalid_argument("no such action");
  }
}

Faults::Faults(std::string_view orders) {
  while (!orders.empty()) {
    const std::string_view text = orders.substr(0, orders.find(','));
    orders.remove_prefix(std::min(text.size() + 1, orders.size()));
    try {
      parse(text, orders_.emplace_back());
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("fault '" + std::string(text) + "': wanted: " + error.what());
    }
  }
  g_faults = this;
  previous_ = set_fault_hook(&Faults::obey);
}

Faults::~Faults() {
  set_fault_hook(previous_);
  g_faults = nullptr;
}

// Allocates nothing, so that it can stand where memory runs out.
Fault Faults::obey(const FaultPlace& place) {
  Faults* const faults = g_faults;
  if (faults == nullptr) return {};
  for (Order& order : faults->orders_) {
    if (order.place != place.name && !(order.place == "file" && is_file_call(place.name))) continue;
    const int64_t number = place.number >= 0 ? place.number : ++order.count;
    const int64_t past = number - order.first;
    if (past != 0 && (past < 0 || order.step == 0 || past % order.step != 0)) continue;
    ++faults->fired_;
    if (order.action == Order::Action::kKill) ::kill(::getpid(), SIGKILL);
    while (order.action == Order::Action::kHang) ::pause();
    return order.fault;
  }
  return {};
}

}  // namespace mrcnn::test
