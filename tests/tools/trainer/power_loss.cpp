#include "tests/tools/trainer/power_loss.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>

#include "core/random.h"

namespace mrcnn::test {
namespace {

namespace fs = std::filesystem;
using Kind = FileEvent::Kind;

constexpr size_t kSector = 512;
FileRecorder* g_recorder = nullptr;

std::string path_of_descriptor(int file) {
  return fs::read_symlink("/proc/self/fd/" + std::to_string(file)).string();
}

std::string text_of(std::span<const std::byte> bytes) {
  const void* data = bytes.data();
  return {static_cast<const char*>(data), bytes.size()};
}

void write_into(std::string& content, size_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

// A file without its name: what is on the disk for certain, and what was written since.
struct Inode {
  std::string synced;
  std::vector<const FileEvent*> pending;
};

// Draws of one state.
class Chance {
 public:
  explicit Chance(uint64_t number) : stream_{.seed = number, .purpose = RandomPurpose::kTest} {}
  uint64_t below(uint64_t count) { return stream_.word(next_++) % count; }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

std::string crashed_content(const Inode& inode, Chance& chance) {
  std::string content = inode.synced;
  if (inode.pending.empty()) return content;
  const uint64_t mood = chance.below(4);
  if (mood == 0) return content;  // nothing since the sync
  for (const FileEvent* write : inode.pending) {
    for (size_t begin = 0; begin < write->bytes.size(); begin += kSector) {
      const std::string_view sector = std::string_view(write->bytes).substr(begin, kSector);
      const uint64_t fate = mood == 1 ? 0 : chance.below(3);
      if (fate == 0) write_into(content, write->offset + begin, sector);
      if (fate == 1) write_into(content, write->offset + begin, std::string(sector.size(), '\0'));
    }
  }
  if (mood == 3) content.resize(chance.below(content.size() + 1));
  return content;
}

using Names = std::map<std::string, std::shared_ptr<Inode>>;

// A change of the folder that may not have reached the disk.
struct FolderChange {
  Kind kind;
  std::string name;
  std::string new_name;
  std::shared_ptr<Inode> inode;
};

void apply_change(const FolderChange& change, Names& names) {
  if (change.kind == Kind::kCreate) names[change.name] = change.inode;
  if (change.kind == Kind::kUnlink) names.erase(change.name);
  if (change.kind != Kind::kRename) return;
  names.erase(change.name);
  names[change.new_name] = change.inode;
}

}  // namespace

FileRecorder::FileRecorder(const std::string& folder) : folder_(fs::canonical(folder).string()) {
  g_recorder = this;
  set_fault_hook(&FileRecorder::record);
}

FileRecorder::~FileRecorder() {
  set_fault_hook(nullptr);
  g_recorder = nullptr;
}

void FileRecorder::report(int64_t step) {
  events_.push_back({.kind = Kind::kReported, .step = step});
}

Fault FileRecorder::record(const FaultPlace& place) {
  g_recorder->add(place);
  return {};
}

std::string FileRecorder::name_of(const std::string& path) const {
  if (fs::path(path).parent_path() != folder_) throw std::logic_error("another folder: " + path);
  return fs::path(path).filename().string();
}

void FileRecorder::add(const FaultPlace& place) {
  if (place.name == "open" && !fs::exists(place.path)) {
    events_.push_back({.kind = Kind::kCreate, .name = name_of(place.path)});
  } else if (place.name == "write" || place.name == "pwrite") {
    const int64_t offset = place.offset >= 0 ? place.offset : ::lseek(place.file, 0, SEEK_CUR);
    events_.push_back({.kind = Kind::kWrite,
                       .name = name_of(path_of_descriptor(place.file)),
                       .bytes = text_of(place.bytes),
                       .offset = static_cast<size_t>(offset)});
  } else if (place.name == "fsync") {
    const std::string path = path_of_descriptor(place.file);
    if (path == folder_) {
      events_.push_back({.kind = Kind::kSyncFolder});
    } else {
      events_.push_back({.kind = Kind::kSyncFile, .name = name_of(path)});
    }
  } else if (place.name == "rename") {
    events_.push_back(
        {.kind = Kind::kRename, .name = name_of(place.path), .new_name = name_of(place.new_path)});
  } else if (place.name == "unlink") {
    events_.push_back({.kind = Kind::kUnlink, .name = name_of(place.path)});
  }
}

CrashState crash_after(const FileEvents& events, size_t count, uint64_t number) {
  CrashState state;
  Names seen;    // by programs
  Names synced;  // on the disk for certain
  std::vector<FolderChange> pending;
  for (const FileEvent& event : std::span(events).first(count)) {
    switch (event.kind) {
      case Kind::kWrite:
        seen.at(event.name)->pending.push_back(&event);
        break;
      case Kind::kSyncFile: {
        Inode& inode = *seen.at(event.name);
        for (const FileEvent* write : inode.pending) {
          write_into(inode.synced, write->offset, write->bytes);
        }
        inode.pending.clear();
        break;
      }
      case Kind::kSyncFolder:
        for (const FolderChange& change : pending) apply_change(change, synced);
        pending.clear();
        break;
      case Kind::kReported:
        state.reported = event.step;
        break;
      case Kind::kCreate:
      case Kind::kRename:
      case Kind::kUnlink: {
        const bool is_new = event.kind == Kind::kCreate;
        pending.push_back({event.kind, event.name, event.new_name,
                           is_new ? std::make_shared<Inode>() : seen.at(event.name)});
        apply_change(pending.back(), seen);
        break;
      }
    }
  }
  Chance chance(number);
  const uint64_t mood = chance.below(3);  // all changes, none, any
  for (const FolderChange& change : pending) {
    if (mood == 0 || (mood == 2 && chance.below(2) == 0)) apply_change(change, synced);
  }
  for (const auto& [name, inode] : synced) {
    state.files.push_back({name, crashed_content(*inode, chance)});
  }
  return state;
}

}  // namespace mrcnn::test
