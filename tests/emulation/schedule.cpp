// Runs one launch: blocks one after the other, the threads of a block as fibers that switch only
// where they must wait.
#include <cxxabi.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <unistd.h>

#include <cstdarg>
#include <fstream>
#include <iterator>
#include <memory>

#include "internal.h"

namespace emu {
Engine engine;
namespace {
struct Pending {
  unsigned mask, arrived;
  WarpOp op;
  const char* file;
  int line;
};
struct Warp {
  unsigned exists, exited;
  std::vector<Pending> pending;
};

std::vector<std::unique_ptr<Fiber>> all_fibers;
std::vector<Fiber*> idle;
std::vector<Thread> threads;
std::vector<Warp> warps;
std::vector<uint16_t> ready;  // a pile; which one is taken next depends on the seed
unsigned num_threads, at_barrier, num_done;
alignas(256) char dynamic_memory[232 * 1024];
size_t dynamic_bytes;
uint64_t random_state = 1;
bool failed, first_block;
int barrier_count;
BlockOp barrier_op;
std::vector<Range> touched;

// Not memset: under ASan a variable's symbol covers its red zone too (clang).
__attribute__((no_sanitize_address, noinline)) void poison(const Range& r) {
  for (volatile char* p = r.begin; p < r.end;)
    if (!(reinterpret_cast<uintptr_t>(p) & 7) && r.end - p >= 8)
      *reinterpret_cast<volatile uint64_t*>(p) = ~uint64_t(0), p += 8;
    else
      *p++ = char(kPoison);
}
__attribute__((no_sanitize_address, noinline)) bool written(const Range& r) {
  for (const char* p = r.begin; p < r.end; ++p)
    if (*p != char(kPoison)) return true;
  return false;
}

Thread* pick() {
  if (ready.empty()) return nullptr;
  size_t i = options().seed < 2 ? ready.size() - 1 : next_random() % ready.size();
  Thread* t = &threads[ready[i]];
  ready[i] = ready.back();
  ready.pop_back();
  return t;
}
void set_current(Thread* t) {
  engine.current = t;
  threadIdx = t->index;
}
void to_host(Fiber* from) {
  engine.current = nullptr;
  fiber_switch(*from, engine.host);
}
void fiber_main();
Fiber* take_fiber() {
  if (idle.empty()) {
    all_fibers.push_back(std::make_unique<Fiber>());
    fiber_create(*all_fibers.back());
    fiber_prepare(*all_fibers.back(), fiber_main);
    idle.push_back(all_fibers.back().get());
    stats().fibers = all_fibers.size();
  }
  Fiber* f = idle.back();
  idle.pop_back();
  return f;
}
std::string stuck_report() {
  std::string text;
  auto add = [&](unsigned from, unsigned to) {
    const Thread& t = threads[from];
    char line[512];
    const char* what = t.state == Thread::kBarrier ? "wait at __syncthreads"
                       : t.state == Thread::kWarp  ? "wait at a warp operation"
                                                   : "have returned";
    if (t.state == Thread::kDone)
      snprintf(line, sizeof line, "\n    threads %u-%u %s", from, to, what);
    else
      snprintf(line, sizeof line, "\n    threads %u-%u %s, %s:%d", from, to, what, t.file, t.line);
    text += line;
  };
  auto same = [](const Thread& a, const Thread& b) {
    return a.state == b.state &&
           (a.state == Thread::kDone || (a.line == b.line && a.file == b.file));
  };
  for (unsigned i = 0, from = 0; i < num_threads; ++i)
    if (i + 1 == num_threads || !same(threads[i + 1], threads[from])) add(from, i), from = i + 1;
  return text;
}
// Leaves the thread of fiber `self` (it waits or has ended) and runs another one.
// Returns when `self` is to go on: with its own thread, or, if that had ended, with the new
// engine.current.
void run_next(Fiber* self, bool ended) {
  Thread* next = pick();
  if (!next) {
    if (num_done < num_threads) {
      char head[160];
      snprintf(head, sizeof head,
               "divergent barrier: nobody can go on; %u of %u threads wait at __syncthreads",
               at_barrier, num_threads);
      static std::string who;  // not on the stack of a fiber that never unwinds
      who = stuck_report();
      fail_in_kernel("%s%s", head, who.c_str());
    }
    idle.push_back(self);
    return to_host(self);
  }
  if (ended && !next->fiber) next->fiber = self;
  set_current(next);
  if (next->fiber == self) return;
  if (!next->fiber) next->fiber = take_fiber();
  if (ended) idle.push_back(self);
  stats().switches++;
  fiber_switch(*self, *next->fiber);
}
void release_barrier() {
  at_barrier = 0;
  engine.epoch++;
  for (unsigned i = num_threads; i-- > 0;)
    if (threads[i].state == Thread::kBarrier)
      threads[i].state = Thread::kReady, ready.push_back(uint16_t(i));
  for (unsigned i = 0; i < num_threads; ++i)
    threads[i].result = barrier_op == BlockOp::kCount ? barrier_count
                        : barrier_op == BlockOp::kAnd ? barrier_count == int(num_threads)
                                                      : barrier_count != 0;
  barrier_count = 0;
}
template <class T>
T load(const unsigned char* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
void complete(Warp& w, const Pending& p, Thread* lanes) {
  unsigned all = 0;
  bool first = true;
  for (int l = 0; l < 32; ++l)
    if (p.arrived >> l & 1) {
      unsigned v = load<unsigned>(lanes[l].in);
      bool s = lanes[l].arg == 1;  // signed reduction
      if (p.op == WarpOp::kBallot)
        all |= unsigned(v != 0) << l;
      else if (first)
        all = v;
      else if (p.op == WarpOp::kAdd)
        all += v;
      else if (p.op == WarpOp::kMin)
        all = s ? unsigned(std::min(int(all), int(v))) : std::min(all, v);
      else if (p.op == WarpOp::kMax)
        all = s ? unsigned(std::max(int(all), int(v))) : std::max(all, v);
      else if (p.op == WarpOp::kAnd || p.op == WarpOp::kAll)
        all &= v;
      else if (p.op == WarpOp::kXor)
        all ^= v;
      else
        all |= v;
      first = false;
    }
  uint32_t joined[32] = {};
  if (p.op == WarpOp::kSync)
    for (int l = 0; l < 32; ++l)
      if (p.arrived >> l & 1)
        for (int k = 0; k < 32; ++k) joined[k] = std::max(joined[k], lanes[l].seen[k]);
  for (int l = 0; l < 32; ++l) {
    if (!(p.arrived >> l & 1)) continue;
    Thread& t = lanes[l];
    if (p.op == WarpOp::kSync) {
      std::memcpy(t.seen, joined, sizeof joined);
      t.seen[l]++;
    } else if (p.op == WarpOp::kMatch) {
      unsigned same = 0;
      for (int k = 0; k < 32; ++k)
        if ((p.arrived >> k & 1) && !std::memcmp(lanes[k].in, t.in, t.bytes)) same |= 1u << k;
      std::memcpy(t.out, &same, 4);
    } else if (p.op >= WarpOp::kBallot) {
      std::memcpy(t.out, &all, 4);
    } else {
      int base = l & ~(t.width - 1), in_group = l - base, src = l;
      if (p.op == WarpOp::kIndex) src = base + (t.arg & (t.width - 1));
      if (p.op == WarpOp::kUp) src = in_group - t.arg < 0 ? l : l - t.arg;
      if (p.op == WarpOp::kDown) src = in_group + t.arg >= t.width ? l : l + t.arg;
      if (p.op == WarpOp::kXorLane)
        src = (in_group ^ t.arg) >= t.width ? l : base + (in_group ^ t.arg);
      if (p.arrived >> src & 1)
        std::memcpy(t.out, lanes[src].in, t.bytes);
      else
        std::memset(t.out, kPoison, sizeof t.out);  // undefined on the device too
    }
    if (t.state == Thread::kWarp) t.state = Thread::kReady, ready.push_back(t.id);
  }
  (void)w;
}
void complete_what_can(Warp& w, Thread* lanes) {
  for (size_t i = 0; i < w.pending.size();) {
    Pending p = w.pending[i];
    if (p.mask & ~p.arrived & w.exists & ~w.exited) {
      ++i;
      continue;
    }
    if (p.mask & ~p.arrived)
      fail_in_kernel(
          "warp operation at %s:%d: mask 0x%08x names lanes 0x%08x that have returned or do not "
          "exist",
          p.file, p.line, p.mask, p.mask & ~p.arrived);
    w.pending.erase(w.pending.begin() + long(i));
    complete(w, p, lanes);
  }
}
void fiber_main() {
  fiber_entered();
  for (;;) {
    engine.in_runtime = false;
    engine.call(engine.args);
    engine.in_runtime = true;
    Thread* t = engine.current;
    Fiber* self = t->fiber;
    t->state = Thread::kDone;
    num_done++;
    Warp& w = warps[t->warp];
    w.exited |= 1u << t->lane;
    if (!w.pending.empty()) complete_what_can(w, &threads[t->warp * 32u]);
    run_next(self, true);
  }
}
void run_block(uint3 index) {
  blockIdx = index;
  // Before the first block of a launch every __shared__ variable of the program, later only those
  // the first block wrote.
  for (auto& r : first_block ? shared_variables() : touched) poison(r);
  std::memset(dynamic_memory, kPoison, dynamic_bytes);
  engine.block_epoch = ++engine.epoch;
  check_begin_block(dynamic_memory, dynamic_bytes);
  ready.clear();
  at_barrier = num_done = 0, barrier_count = 0;
  for (unsigned i = 0; i < num_threads; ++i) {
    Thread& t = threads[i];
    t.state = Thread::kReady;
    t.fiber = nullptr;
    std::memset(t.seen, 0, sizeof t.seen);
    t.seen[i & 31] = 1;
    ready.push_back(uint16_t(options().seed == 0 ? num_threads - 1 - i : i));
  }
  for (auto& w : warps) w.exited = 0, w.pending.clear();
  Thread* first = pick();
  first->fiber = take_fiber();
  set_current(first);
  fiber_switch(engine.host, *first->fiber);
  if (first_block) {
    touched.clear();
    for (auto& r : shared_variables())
      if (written(r)) touched.push_back(r);
    first_block = false;
  }
  if (failed) {  // abandon everything that was running
    idle.clear();
    for (auto& f : all_fibers) fiber_prepare(*f, fiber_main), idle.push_back(f.get());
  }
}
void on_alarm(int) {
  std::string s = "emulated CUDA: watchdog: still running after " +
                  std::to_string(options().watchdog_seconds) + " s in " + where() + "\n";
  (void)!write(2, s.data(), s.size());
  _exit(124);
}
struct Symbols {
  struct Entry {
    uintptr_t begin, size;
    const char* name;
    bool function;
  };
  std::vector<char> file;
  std::vector<Entry> entries;
  std::vector<Range> shared;
  uintptr_t base = 0;
  Symbols() {
    std::ifstream in("/proc/self/exe", std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
    dl_iterate_phdr(
        [](dl_phdr_info* i, size_t, void* b) {
          *static_cast<uintptr_t*>(b) = i->dlpi_addr;
          return 1;
        },
        &base);
    auto* eh = reinterpret_cast<Elf64_Ehdr*>(file.data());
    auto* sh = reinterpret_cast<Elf64_Shdr*>(file.data() + eh->e_shoff);
    const char* names = file.data() + sh[eh->e_shstrndx].sh_offset;
    for (int i = 0; i < eh->e_shnum; ++i) {
      if (sh[i].sh_type != SHT_SYMTAB) continue;
      auto* sym = reinterpret_cast<Elf64_Sym*>(file.data() + sh[i].sh_offset);
      const char* strings = file.data() + sh[sh[i].sh_link].sh_offset;
      for (size_t k = 0; k < sh[i].sh_size / sizeof *sym; ++k) {
        int type = ELF64_ST_TYPE(sym[k].st_info);
        if ((type == STT_FUNC || type == STT_OBJECT) && sym[k].st_size)
          entries.push_back(
              {base + sym[k].st_value, sym[k].st_size, strings + sym[k].st_name, type == STT_FUNC});
        else
          continue;
        unsigned in = sym[k].st_shndx;
        auto* b = reinterpret_cast<char*>(base + sym[k].st_value);
        if (type == STT_OBJECT && in < eh->e_shnum &&
            !strncmp(names + sh[in].sh_name, ".noinit", 7))
          shared.push_back({b, b + sym[k].st_size});
      }
    }
  }
};
const Symbols& symbols() {
  static Symbols s;
  return s;
}
}  // namespace

uint64_t next_random() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}
const std::vector<Range>& shared_variables() { return symbols().shared; }
std::string symbol_at(const void* p, bool function) {
  auto a = reinterpret_cast<uintptr_t>(p);
  for (auto& e : symbols().entries)
    if (e.function == function && a - e.begin < e.size) {
      int status;
      char* d = abi::__cxa_demangle(e.name, nullptr, nullptr, &status);
      std::string s = d ? d : e.name;
      free(d);
      return s;
    }
  return "?";
}
std::string where() {
  char text[256];
  Thread* t = engine.current;
  if (!engine.kernel) return "host code";
  snprintf(text, sizeof text, " block (%u,%u,%u) thread (%u,%u,%u)", blockIdx.x, blockIdx.y,
           blockIdx.z, t ? t->index.x : 0, t ? t->index.y : 0, t ? t->index.z : 0);
  return symbol_at(engine.kernel, true) + text;
}
std::string source_line(const void* pc) {
  char text[600], self[256] = {};
  if (!pc || readlink("/proc/self/exe", self, sizeof self - 1) < 0) return "";
  snprintf(text, sizeof text, "addr2line -e %s %#zx 2>/dev/null", self,
           reinterpret_cast<size_t>(pc) - 1 - symbols().base);
  FILE* f = popen(text, "r");
  bool ok = f && fgets(text, sizeof text, f);
  if (f) pclose(f);
  return ok && text[0] != '?' ? "\n    at " + std::string(text, strcspn(text, "\n")) : "";
}
void fail_in_kernel(const char* format, ...) {
  engine.in_runtime = true;
  char text[4096];
  va_list v;
  va_start(v, format);
  vsnprintf(text, sizeof text, format, v);
  va_end(v);
  fail(text + source_line(engine.pc) + "\n    in " + where(), cudaErrorLaunchFailure);
  engine.pc = nullptr;
  failed = true;
  Fiber* self = engine.current->fiber;
  to_host(self);
  abort();
}
int block_barrier(BlockOp bop, int predicate, Place place) {
  engine.in_runtime = true;
  const char* file = place.file;
  const int line = place.line;
  Thread* t = engine.current;
  for (unsigned i = 0; at_barrier && i < num_threads; ++i)
    if (threads[i].state == Thread::kBarrier) {
      if (threads[i].line != line || threads[i].file != file)
        fail_in_kernel(
            "divergent barrier: thread %u waits at __syncthreads in %s:%d, thread %u comes to "
            "another one in %s:%d",
            i, threads[i].file, threads[i].line, t->id, file, line);
      break;
    }
  t->file = file, t->line = line;
  t->state = Thread::kBarrier;
  barrier_op = bop;
  barrier_count += predicate != 0;
  if (++at_barrier == num_threads) release_barrier();
  run_next(t->fiber, false);
  engine.in_runtime = false;
  return t->result;
}
void trap(Place place) { fail_in_kernel("__trap at %s:%d", place.file, place.line); }
void warp_operation(WarpOp op, unsigned mask, const void* in, void* out, unsigned bytes, int arg,
                    int width, Place place) {
  engine.in_runtime = true;
  const char* file = place.file;
  const int line = place.line;
  Thread* t = engine.current;
  Warp& w = warps[t->warp];
  Thread* lanes = &threads[t->warp * 32u];
  if (!(mask >> t->lane & 1))
    fail_in_kernel("warp operation at %s:%d: mask 0x%08x does not name the calling lane %u", file,
                   line, mask, t->lane);
  Pending* p = nullptr;
  for (auto& q : w.pending)
    if (q.mask & mask) {
      if (q.mask != mask || q.op != op)
        fail_in_kernel("warp operations do not match: mask 0x%08x at %s:%d, mask 0x%08x at %s:%d",
                       q.mask, q.file, q.line, mask, file, line);
      p = &q;
    }
  if (!p) w.pending.push_back({mask, 0, op, file, line}), p = &w.pending.back();
  p->arrived |= 1u << t->lane;
  t->op = op, t->arg = arg, t->width = width, t->bytes = bytes, t->file = file, t->line = line;
  if (bytes) std::memcpy(t->in, in, bytes);
  if ((mask & w.exists & ~w.exited) & ~p->arrived) {
    t->state = Thread::kWarp;
    run_next(t->fiber, false);
  } else {
    complete_what_can(w, lanes);
  }
  if (bytes) std::memcpy(out, t->out, op == WarpOp::kMatch ? 4 : bytes);
  engine.in_runtime = false;
}
void* dynamic_shared() { return dynamic_memory; }
void fence() { engine.fenced = true; }
void maybe_switch() {  // an atomic: let somebody else go first now and then
  if (options().seed < 2 || ready.empty() || next_random() % 8) return;
  engine.in_runtime = true;
  Thread* t = engine.current;
  ready.push_back(t->id);
  run_next(t->fiber, false);
  engine.in_runtime = false;
}
bool run_launch(const cudaLaunchConfig_t& c, const void* kernel, void (*call)(void*), void* args) {
  static bool once = [] {
    fiber_adopt_host(engine.host);
    fiber_on_death([] {
      if (engine.kernel) fprintf(stderr, "emulated CUDA: this happened in %s\n", where().c_str());
    });
    signal(SIGALRM, on_alarm);
    return true;
  }();
  (void)once;
  num_threads = c.blockDim.x * c.blockDim.y * c.blockDim.z;
  dynamic_bytes = c.dynamicSmemBytes;
  blockDim = c.blockDim, gridDim = c.gridDim;
  engine.kernel = kernel, engine.call = call, engine.args = args;
  engine.launch_epoch = ++engine.epoch;
  engine.fenced = failed = false;
  first_block = true;
  random_state = options().seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull + stats().launches;
  threads.resize(num_threads);
  ready.reserve(num_threads + 1);
  warps.assign((num_threads + 31) / 32, {});
  for (unsigned i = 0; i < num_threads; ++i) {
    threads[i].index = {i % c.blockDim.x, i / c.blockDim.x % c.blockDim.y,
                        i / (c.blockDim.x * c.blockDim.y)};
    threads[i].id = uint16_t(i), threads[i].warp = uint16_t(i / 32),
    threads[i].lane = uint16_t(i % 32);
    warps[i / 32].exists |= 1u << (i % 32);
  }
  uint64_t blocks = uint64_t(c.gridDim.x) * c.gridDim.y * c.gridDim.z;
  // A walk over all blocks: start and an odd-ish step prime to the count give a cheap permutation.
  uint64_t step = 1, start = 0;
  if (options().seed == 1) step = blocks - 1, start = blocks - 1;
  if (options().seed >= 2) {
    start = next_random() % blocks;
    do step = 1 + next_random() % blocks;
    while (std::__gcd(step, blocks) != 1);
  }
  alarm(unsigned(options().watchdog_seconds));
  for (uint64_t k = 0, b = start; k < blocks && !failed; ++k, b = (b + step) % blocks)
    run_block({unsigned(b % c.gridDim.x), unsigned(b / c.gridDim.x % c.gridDim.y),
               unsigned(b / (uint64_t(c.gridDim.x) * c.gridDim.y))});
  alarm(0);
  stats().launches++, stats().blocks += blocks, stats().threads += blocks * num_threads;
  engine.kernel = nullptr;
  return !failed;
}
}  // namespace emu
