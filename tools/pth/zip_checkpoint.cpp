// The container of torch >= 1.6: <prefix>/data.pkl and one member <prefix>/data/<key> for each
// storage. Source: PyTorch 2.x, caffe2/serialize/inline_container.cc, torch/serialization.py.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "core/parallel.h"
#include "tools/pth/checkpoint.h"
#include "tools/pth/limits.h"
#include "tools/pth/zip.h"

namespace mrcnn::pth {
namespace {

constexpr int kLowestVersion = 1;
constexpr int kHighestVersion = 10;

class ZipCheckpoint final : public StorageSource {
 public:
  ZipCheckpoint(const FileBytes& file, const std::string& path, const OpenOptions& options)
      : file_(path, "", file.bytes),
        owner_(file.owner),
        check_crc_(options.check_crc),
        archive_(read_zip_directory(file_)) {
    find_prefix();
    check_layout();
    const bool has_crc = std::any_of(archive_.members.begin(), archive_.members.end(),
                                     [](const ZipMember& m) { return m.crc != 0; });
    if (check_crc_ && !has_crc) {
      options.warn(path + ": the archive was saved without checksums, so damage goes unnoticed");
      check_crc_ = false;
    }
    check_version();
  }

  ZipContent member(const std::string& name) const {
    const ZipMember* found = archive_.find(prefix_ + name);
    if (found == nullptr) file_.fail(fmt::format("the archive lacks {}{}", prefix_, name));
    return read_zip_member(file_, *found, check_crc_);
  }

  ZipContent pickle() const {
    const ZipMember* found = archive_.find(prefix_ + "data.pkl");
    if (found != nullptr && found->bytes > kLimits.pickle_member_bytes) {
      file_.fail(found->data_offset, fmt::format("data.pkl has {} bytes, far more than a state "
                                                 "dict needs",
                                                 found->bytes));
    }
    return member("data.pkl");
  }

  bool is_big_endian() const {
    if (archive_.find(prefix_ + "byteorder") == nullptr) return false;
    const ZipContent content = member("byteorder");
    const std::string_view order = as_text(content.bytes);
    if (order != "little" && order != "big") file_.fail("byteorder is neither little nor big");
    return order == "big";
  }

  void warn_about_unused(const PickleGraph& graph, const Warn& warn) const {
    std::unordered_set<std::string_view> used;
    for (const Storage& storage : graph.storages) used.insert(storage.key);
    const std::string data = prefix_ + "data/";
    size_t unused = 0;
    for (const ZipMember& member : archive_.members) {
      const bool is_data = member.name.starts_with(data) && member.name.size() > data.size();
      unused += is_data && !used.contains(member.name.substr(data.size())) ? 1 : 0;
    }
    if (unused > 0) {
      warn(fmt::format("{}: {} stored buffers belong to no tensor", file_.path(), unused));
    }
  }

  std::vector<std::span<const std::byte>> load(const std::vector<std::string_view>& keys) override {
    std::vector<const ZipMember*> wanted;
    for (const std::string_view key : keys) {
      const std::string name = fmt::format("{}data/{}", prefix_, key);
      wanted.push_back(archive_.find(name));
      if (wanted.back() == nullptr) file_.fail(fmt::format("the archive lacks {}", name));
    }
    std::vector<ZipContent> contents(keys.size());
    // Checksums and unpacking of different members are independent.
    parallel_for(0, static_cast<int64_t>(keys.size()), 1, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        contents[i] = read_zip_member(file_, *wanted[i], check_crc_);
      }
    });
    std::vector<std::span<const std::byte>> bytes;
    for (ZipContent& content : contents) {
      bytes.push_back(content.bytes);
      if (content.owner != nullptr) unpacked_.push_back(std::move(content.owner));
    }
    return bytes;
  }

 private:
  void find_prefix() {
    if (archive_.members.empty()) file_.fail("the archive is empty");
    if (archive_.members[0].name.ends_with(".npy")) {
      file_.fail("is a NumPy .npz archive, not a PyTorch file");
    }
    const std::string_view first = archive_.members[0].name;
    const size_t slash = first.find('/');
    if (slash == first.npos) file_.fail("is a ZIP archive, but not one written by PyTorch");
    prefix_ = first.substr(0, slash + 1);
    for (const ZipMember& member : archive_.members) {
      if (!member.name.starts_with(prefix_)) {
        file_.fail(fmt::format("member {} is not under {} like the rest", member.name, prefix_));
      }
    }
  }

  void check_layout() const {
    if (archive_.find(prefix_ + "constants.pkl") != nullptr) {
      file_.fail("is a TorchScript program, not weights; save the model's state_dict() instead");
    }
    if (archive_.find(prefix_ + "data.pkl") == nullptr) {
      file_.fail(
          fmt::format("is a ZIP archive without {}data.pkl, not one written by PyTorch", prefix_));
    }
  }

  void check_version() const {
    const char* name = archive_.find(prefix_ + "version") != nullptr ? "version" : ".data/version";
    const ZipMember* found = archive_.find(prefix_ + name);
    if (found == nullptr || found->bytes > 16) file_.fail("the archive's version is missing");
    const ZipContent content = read_zip_member(file_, *found, check_crc_);
    std::string_view text = as_text(content.bytes);
    if (text.ends_with('\n')) text.remove_suffix(1);
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size() || version < kLowestVersion ||
        version > kHighestVersion) {
      file_.fail(fmt::format("the archive's version \"{}\" is not one from {} to {}", text,
                             kLowestVersion, kHighestVersion));
    }
  }

  Input file_;
  std::shared_ptr<const void> owner_;
  bool check_crc_;
  ZipArchive archive_;
  std::string prefix_;  // with its slash
  std::vector<std::shared_ptr<const std::byte[]>> unpacked_;
};

// Keeps data.pkl, which the graph points into, with the rest.
struct PickleOwner {
  std::shared_ptr<const void> file;
  std::shared_ptr<const std::byte[]> unpacked;
};

}  // namespace

Checkpoint open_zip_checkpoint(const FileBytes& file, const std::string& path,
                               const OpenOptions& options) {
  const auto source = std::make_shared<ZipCheckpoint>(file, path, options);
  const ZipContent pickle = source->pickle();
  Checkpoint checkpoint{
      .pickle = Input(path, "data.pkl", pickle.bytes),
      .file_bytes = file.bytes.size(),
      .graph = {},
      .root = 0,
      .is_big_endian = source->is_big_endian(),
      .storages = source,
      .file_owner = std::make_shared<PickleOwner>(PickleOwner{file.owner, pickle.owner})};
  const PickleResult result =
      read_pickle(checkpoint.pickle, 0,
                  {.storages = StorageReferences::kZip, .refuse_denied = options.refuse_denied},
                  checkpoint.graph);
  checkpoint.root = result.root;
  check_storages_agree(checkpoint.pickle, checkpoint.graph);
  source->warn_about_unused(checkpoint.graph, options.warn);
  return checkpoint;
}

}  // namespace mrcnn::pth
