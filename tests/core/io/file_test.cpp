#include "core/io/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;

// A folder of its own, removed at the end.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("mrcnn_file_test." + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  size_t count() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path), {}));
  }
  fs::path path;
};

void write(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.reserve(static_cast<int64_t>(text.size()));
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

std::string read(const std::string& path) {
  const FileBytes file = read_file(path, ExitCode::kData);
  const void* data = file.bytes.data();
  return {static_cast<const char*>(data), file.bytes.size()};
}

template <typename F>
ExitCode code_of(F&& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.exit_code();
  }
  return ExitCode::kOk;
}

TEST_CASE("Rejects what is not a regular file, without waiting for a FIFO") {
  const Folder folder;
  CHECK(code_of([&] { read_file(folder / "absent", ExitCode::kModel); }) == ExitCode::kModel);
  CHECK_THROWS_WITH_AS(read_file(folder / "absent", ExitCode::kModel),
                       doctest::Contains("check the path"), FileError);
  CHECK(code_of([&] { read_file(folder / "", ExitCode::kData); }) == ExitCode::kData);
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(read_file(folder / "fifo", ExitCode::kData),
                       doctest::Contains("not a regular file"), FileError);
  CHECK_THROWS_WITH_AS(read_file("/dev/zero", ExitCode::kData),
                       doctest::Contains("not a regular file"), FileError);
}

TEST_CASE("Rejects targets that cannot be files, before writing anything") {
  const Folder folder;
  CHECK(code_of([&] { AtomicFile file(folder.path.string()); }) == ExitCode::kUsage);
  CHECK(code_of([&] { AtomicFile file(folder / "sub/"); }) == ExitCode::kUsage);
  CHECK(code_of([&] { AtomicFile file("/dev/null"); }) == ExitCode::kUsage);
  CHECK(code_of([&] { AtomicFile file(""); }) == ExitCode::kUsage);
  CHECK(code_of([&] { AtomicFile file(folder / "absent/x"); }) == ExitCode::kResources);
  CHECK(code_of([&] { AtomicFile file("/proc/mrcnn_test"); }) == ExitCode::kResources);
}

TEST_CASE("A committed file is complete and alone") {
  const Folder folder;
  write(folder / "a", "first");
  CHECK(read(folder / "a") == "first");
  write(folder / "a", "second, longer");
  CHECK(read(folder / "a") == "second, longer");
  CHECK(folder.count() == 1);
  write(folder / "empty", "");
  CHECK(read(folder / "empty").empty());
}

TEST_CASE("A file that is not committed leaves the old one and nothing else") {
  const Folder folder;
  write(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write(std::as_bytes(std::span("new")));
    CHECK(read(folder / "a") == "old");
  }
  CHECK(read(folder / "a") == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("A header can be written last") {
  const Folder folder;
  AtomicFile file(folder / "a");
  file.write(std::as_bytes(std::span<const char>("????", 4)));
  file.write_at(1, std::as_bytes(std::span<const char>("bc", 2)));
  file.write(std::as_bytes(std::span<const char>("efgh", 4)));
  file.write_at(0, std::as_bytes(std::span<const char>("a", 1)));
  file.commit();
  CHECK(read(folder / "a") == "abc?efgh");
}

TEST_CASE("A file that fails its check never gets its name") {
  const Folder folder;
  write(folder / "a", "old");
  const auto write_checked = [&](const std::string& wanted) {
    AtomicFile file(folder / "a");
    file.write(std::as_bytes(std::span<const char>("new", 3)));
    file.commit([&](const std::string& path) {
      if (read(path) != wanted) throw FileError(ExitCode::kResources, path, "", "differs");
    });
  };
  CHECK(code_of([&] { write_checked("something else"); }) == ExitCode::kResources);
  CHECK(read(folder / "a") == "old");
  CHECK(folder.count() == 1);
  write_checked("new");
  CHECK(read(folder / "a") == "new");
  CHECK(folder.count() == 1);
}

TEST_CASE("A symbolic link is followed, not replaced") {
  const Folder folder;
  write(folder / "target", "old");
  fs::create_symlink(folder / "target", folder / "link");
  write(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read(folder / "target") == "new");
}

TEST_CASE("A full disk is found before the file is written") {
  const Folder folder;
  AtomicFile file(folder / "huge");
  CHECK(code_of([&] { file.reserve(int64_t{1} << 60); }) == ExitCode::kResources);
}

}  // namespace
}  // namespace mrcnn
