// Notices that a program has stopped getting on: a dead network drive, a deadlock, a GPU that does
// not answer.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace mrcnn {

// While it lives, a thread watches that beat() or a change of phase comes in time. Time in which
// the whole process was stopped (Ctrl-Z, a suspended machine) does not count.
class Watchdog {
 public:
  // Told what did not get on and for how long: "step 5: no progress for 60 s". Called once, on the
  // thread of the watchdog.
  using OnHang = std::function<void(const std::string&)>;

  explicit Watchdog(OnHang on_hang);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void beat();

  // A part of the work that may go without a beat for `limit_s` seconds; 0: for ever. What was
  // watched before is watched again afterwards, from then on. Phases nest.
  class Phase {
   public:
    Phase(Watchdog& watchdog, std::string name, double limit_s);
    ~Phase();
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;

   private:
    Watchdog& watchdog_;
    std::string outer_name_;
    double outer_limit_s_;
  };

 private:
  void enter(std::string name, double limit_s);
  void watch();

  const OnHang on_hang_;
  std::mutex mutex_;
  std::condition_variable over_;
  std::string phase_;
  double limit_s_ = 0;
  double idle_s_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// Writes the stacks of all threads and "program: what" to standard error, and ends the process at
// once with ExitCode::kHang. Whatever was being written is left as after a kill.
[[noreturn]] void end_hanging_program(const std::string& program, const std::string& what);

}  // namespace mrcnn
