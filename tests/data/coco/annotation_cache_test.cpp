#include "data/coco/annotation_cache.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/sha256.h"
#include "core/random.h"
#include "data/coco/annotation_reader.h"
#include "data/coco/coco_dataset.h"
#include "tests/data/coco/annotation_text.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

namespace fs = std::filesystem;
using test::annotation_file;
using test::AnnotationText;
using test::read_text;

// An annotation file and a cache directory.
class Scene {
 public:
  Scene() : source(folder.write("data/instances_x.json", annotation_file(AnnotationText{}))) {}

  std::unique_ptr<Dataset> open() const {
    return open_coco(source, "", {.cache_directory = folder / "cache", .cache_min_bytes = 0});
  }
  std::string cache() const { return AnnotationCache(folder / "cache", source).path(); }
  bool is_current() const {
    SourceFile file(source);
    return AnnotationCache(folder / "cache", source).load(file).has_value();
  }

  test::TemporaryDirectory folder;
  std::string source;
};

void overwrite(const std::string& path, size_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

timespec modified(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mtim;
}

// Sets the time of the last change back, as copying programs do.
void set_modified(const std::string& path, timespec time) {
  const timespec times[2] = {time, time};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

int64_t area_of(const Dataset& data) { return static_cast<int64_t>(data.objects(1).at(0).area); }

TEST_CASE("TheCacheGivesTheSameDataSet") {
  const Scene scene;
  CHECK(!scene.is_current());
  const auto parsed = scene.open();
  CHECK(fs::exists(scene.cache()));
  CHECK(scene.cache().starts_with(scene.folder / "cache/annotations/instances_x-"));
  CHECK(scene.is_current());
  const auto cached = scene.open();
  CHECK(cached->fingerprint() == parsed->fingerprint());
  REQUIRE(cached->size() == parsed->size());
  for (int64_t i = 0; i < parsed->size(); ++i) {
    CHECK(cached->image(i).id == parsed->image(i).id);
    CHECK(cached->image(i).file_name == parsed->image(i).file_name);
    REQUIRE(cached->objects(i).size() == parsed->objects(i).size());
  }
  CHECK(cached->objects(1)[0].mask == parsed->objects(1)[0].mask);
  CHECK(cached->objects(1)[0].box == parsed->objects(1)[0].box);
  REQUIRE(cached->classes().size() == 2);
  CHECK(cached->classes()[1].name == "dog");
}

TEST_CASE("AHitIsServedFromTheCacheAlone") {
  const Scene scene;
  // Tables of another content, stored as if they were of this source.
  const std::string other =
      scene.folder.write("other.json", annotation_file(AnnotationText{.area = "5.0"}));
  SourceFile other_file(other);
  const ReadAnnotations read = read_annotations(other_file, {});
  const std::string text = read_text(scene.source);
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  const SourceFile source(scene.source);
  REQUIRE(AnnotationCache(scene.folder / "cache", scene.source)
              .store(read.tables, source, hash.finish()));
  CHECK(area_of(*scene.open()) == 5);
}

TEST_CASE("AChangedSourceIsNoticed") {
  const Scene scene;
  const std::string before = scene.open()->fingerprint();
  const size_t digit = read_text(scene.source).find("\"area\": 6") + 8;

  SUBCASE("of the same size, at once") { overwrite(scene.source, digit, "7"); }
  SUBCASE("of the same size, with its time set back") {
    const timespec time = modified(scene.source);
    overwrite(scene.source, digit, "7");
    set_modified(scene.source, time);
  }
  SUBCASE("replaced by another file of the same size and time") {
    const timespec time = modified(scene.source);
    std::string content = read_text(scene.source);
    content[digit] = '7';
    const std::string copy = scene.folder.write("copy.json", content);
    set_modified(copy, time);
    fs::rename(copy, scene.source);
  }
  SUBCASE("of another size") {
    std::ofstream(scene.source) << annotation_file(AnnotationText{.area = "7.125"});
  }
  CHECK(!scene.is_current());
  const auto data = scene.open();
  CHECK(area_of(*data) == 7);
  CHECK(data->fingerprint() != before);
  CHECK(scene.is_current());
}

TEST_CASE("ATouchedOrCopiedSourceIsHashedAndTheCacheStaysCurrent") {
  const Scene scene;
  scene.open();
  set_modified(scene.source, {.tv_sec = 1000000000, .tv_nsec = 0});
  CHECK(scene.is_current());
  const std::string content = read_text(scene.source);
  fs::remove(scene.source);
  std::ofstream(scene.source) << content;
  CHECK(scene.is_current());
}

TEST_CASE("DamagedCachesAreReplaced") {
  const Scene scene;
  const std::string fingerprint = scene.open()->fingerprint();
  const std::string whole = read_text(scene.cache());
  const auto check = [&](const std::string& content) {
    std::ofstream(scene.cache(), std::ios::binary) << content;
    CHECK(!scene.is_current());
    CHECK(scene.open()->fingerprint() == fingerprint);
    CHECK(scene.is_current());
  };
  check("");
  check("not a cache");
  check(whole + "x");
  check(std::string(whole.size(), '\0'));
  for (size_t size = 0; size < whole.size(); size += 61) {
    CAPTURE(size);
    check(whole.substr(0, size));
  }
  for (size_t at = 0; at < whole.size(); at += 13) {
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    check(damaged);
  }
}

// What a cache holds is believed only as far as its rows point inside it.
TEST_CASE("TablesThatPointOutsideAreRefused") {
  const Scene scene;
  SourceFile file(scene.source);
  Sha256 hash;
  const ReadAnnotations good = read_annotations(file, {}, &hash);
  const Digest digest = hash.finish();
  REQUIRE(is_consistent(good.tables));
  std::vector<ImageRow> images(good.tables.images.begin(), good.tables.images.end());
  std::vector<ObjectRow> objects(good.tables.objects.begin(), good.tables.objects.end());
  std::vector<CategoryRow> categories(good.tables.categories.begin(), good.tables.categories.end());
  std::vector<uint32_t> by_image(good.tables.by_image.begin(), good.tables.by_image.end());
  AnnotationTables tables = good.tables;
  tables.images = images;
  tables.objects = objects;
  tables.categories = categories;
  tables.by_image = by_image;
  REQUIRE(is_consistent(tables));
  tables.content = content_of(tables);  // it cannot be told from tables that point outside
  const auto check = [&](auto& field, auto value) {
    const auto before = field;
    field = value;
    CHECK(!is_consistent(tables));
    const AnnotationCache cache(scene.folder / "cache", scene.source);
    REQUIRE(cache.store(tables, file, digest));
    CHECK(!scene.is_current());
    CHECK(area_of(*scene.open()) == 6);
    field = before;
  };
  check(categories[0].name_begin, uint64_t{1000});
  check(categories[0].name_size, UINT64_MAX);
  check(images[0].name_begin, UINT64_MAX);
  check(images[1].name_size, uint32_t{1000});
  check(images[0].height, 0);
  check(images[0].width, -1);
  check(images[1].width, INT32_MAX);
  check(images[1].first_object, uint32_t{1});
  check(images[1].num_objects, UINT32_MAX);
  check(objects[0].image, uint32_t{2});
  check(objects[0].category, uint32_t{2});
  check(objects[0].geometry_begin, uint64_t{1});
  check(objects[0].geometry_size, UINT32_MAX);
  check(objects[0].geometry, static_cast<GeometryKind>(9));
  check(by_image[0], uint32_t{1});
  tables.categories = {};
  CHECK(!is_consistent(tables));
}

TEST_CASE("GeometryThatIsNoneIsAnErrorOfItsObject") {
  const Scene scene;
  SourceFile file(scene.source);
  Sha256 hash;
  const ReadAnnotations good = read_annotations(file, {}, &hash);
  const Digest digest = hash.finish();
  std::vector<uint32_t> words(good.tables.geometry.begin(), good.tables.geometry.end());
  AnnotationTables tables = good.tables;
  tables.geometry = words;
  const AnnotationCache cache(scene.folder / "cache", scene.source);
  for (uint32_t number = 0; number < 200; ++number) {
    const RandomStream random{.seed = 51, .step = number};
    words.assign(good.tables.geometry.begin(), good.tables.geometry.end());
    words[random.word(0) % words.size()] = number % 2 == 0 ? random.word(1) : 4 * (number % 20) + 2;
    REQUIRE(cache.store(tables, file, digest));
    const auto data = scene.open();
    try {
      const size_t count = data->objects(1).size();
      CHECK(count == 1);
    } catch (const FileError& error) {
      CHECK(std::string(error.what()).starts_with(scene.source + ": annotation 11: ["));
    }
  }
}

TEST_CASE("WithoutAPlaceForTheCacheThereIsNone") {
  const Scene scene;
  const auto opens = [&scene](const CocoOptions& options) {
    return open_coco(scene.source, "", options)->size() == 2;
  };
  CHECK(opens({.cache_directory = "", .cache_min_bytes = 0}));
  const std::string file = scene.folder.write("file");
  CHECK(opens({.cache_directory = file, .cache_min_bytes = 0}));
  CHECK(opens({.cache_directory = file + "/below", .cache_min_bytes = 0}));
  CHECK(opens({.cache_directory = "/proc/none", .cache_min_bytes = 0}));
  // A directory where the cache file belongs.
  fs::create_directories(scene.cache());
  CHECK(opens({.cache_directory = scene.folder / "cache", .cache_min_bytes = 0}));
  // Small files are not cached.
  CHECK(opens({.cache_directory = scene.folder / "other"}));
  CHECK(!fs::exists(scene.folder / "other"));
}

TEST_CASE("PathsHaveCachesOfTheirOwn") {
  const Scene scene;
  const std::string other =
      scene.folder.write("more/instances_x.json", annotation_file(AnnotationText{.area = "8"}));
  const CocoOptions options{.cache_directory = scene.folder / "cache", .cache_min_bytes = 0};
  for (int i = 0; i < 2; ++i) {
    CHECK(area_of(*scene.open()) == 6);
    CHECK(area_of(*open_coco(other, "", options)) == 8);
  }
  const fs::directory_iterator files(scene.folder / "cache/annotations");
  CHECK(std::distance(fs::begin(files), fs::end(files)) == 2);
}

}  // namespace
}  // namespace mrcnn
