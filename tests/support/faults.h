// Failures on order, for tests of this process and for whole programs.
//
// An order is ACTION@PLACE:WHEN; several are separated by commas.
//   ACTION  an error of errno (EIO, ENOSPC, EINTR, ...), or one of
//           fail   the call fails: memory as if there were none, anything else with EIO
//           short  a read or write moves half of its bytes
//           kill   the process ends at once, before the call
//           hang   the thread never returns from there
//           nan    the value there is not a number
//   PLACE   a call of core/io/file_calls.h as the system names it ("write", "fsync", "rename"),
//           "alloc", "cudaMalloc", "cudaMallocHost", or a point with a name ("loss", "step");
//           "file" is any call of the file system
//   WHEN    N: the N-th call, or step N; N+: from then on; N+S: and every S-th after it
// For example ENOSPC@write:5+ or kill@fsync:2,EINTR@read:1+2.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/fault.h"

namespace mrcnn::test {

// Obeys orders while it lives; one at a time. Throws std::invalid_argument for what it does not
// understand.
class Faults {
 public:
  explicit Faults(std::string_view orders);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  int64_t fired() const { return fired_; }  // how often it made something fail

 private:
  struct Order {
    enum class Action { kFail, kKill, kHang };
    Action action = Action::kFail;
    Fault fault;
    std::string place;
    int64_t first = 0;
    int64_t step = 0;  // 0: once
    std::atomic<int64_t> count{0};
  };
  static void parse(std::string_view text, Order& order);
  static Fault obey(const FaultPlace& place);

  std::deque<Order> orders_;
  std::atomic<int64_t> fired_{0};
  FaultHook previous_ = nullptr;
};

}  // namespace mrcnn::test
