#include "tools/infer/naming.h"

#include <doctest/doctest.h>

#include <set>

using namespace mrcnn;

namespace {

std::vector<InputImage> images(const std::vector<std::string>& paths) {
  std::vector<InputImage> result;
  for (const std::string& path : paths) result.push_back({path, path});
  return result;
}

std::vector<int64_t> ids(const std::vector<std::string>& paths) {
  return assign_image_ids(images(paths));
}

std::vector<std::string> names(const std::vector<std::string>& paths) {
  return assign_picture_names(images(paths));
}

using Ids = std::vector<int64_t>;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("AnImageNamedByANumberHasThatId") {
  CHECK(ids({"val/000000000139.jpg", "000000000285.jpg", "7.png", "0.png"}) == Ids{139, 285, 7, 0});
  CHECK(ids({"999999999999999999.jpg"}) == Ids{999999999999999999});
}

TEST_CASE("OtherImagesHaveTheirPosition") {
  CHECK(ids({"a.jpg", "12b.jpg", "-3.jpg", "1 2.jpg", "1234567890123456789.jpg"}) ==
        Ids{1, 2, 3, 4, 5});
  CHECK(ids({}) == Ids{});
}

TEST_CASE("SharedNumbersAreNotIds") {
  CHECK(ids({"x/5.jpg", "y/5.jpg", "y/005.png", "9.jpg"}) == Ids{1, 2, 3, 9});
}

TEST_CASE("IdsNeverMeet") {
  // Position 2 is the number of the third image, so the second takes the next free one.
  CHECK(ids({"a.jpg", "b.jpg", "2.jpg", "3.jpg"}) == Ids{1, 4, 2, 3});
  const Ids mixed = ids({"c.jpg", "d.jpg", "1.jpg", "e.jpg", "3.jpg", "4.jpg", "f.jpg"});
  CHECK(std::set<int64_t>(mixed.begin(), mixed.end()).size() == mixed.size());
  CHECK(mixed[2] == 1);
  CHECK(mixed[4] == 3);
}

TEST_CASE("PicturesAreNamedAsTheImage") {
  CHECK(names({"a.jpg", "sub/b.tar.png", "noext", ".hidden"}) ==
        Names{"a", "sub/b.tar", "noext", ".hidden"});
}

TEST_CASE("PicturesNeverShareAName") {
  CHECK(names({"a.jpg", "a.png", "sub/a.jpg", "a.jpeg"}) == Names{"a", "a-2", "sub/a", "a-3"});
  // A name that another image has by itself is left to it.
  CHECK(names({"a.jpg", "a.png", "a-2.jpg"}) == Names{"a", "a-3", "a-2"});
  std::vector<std::string> many(500, "same.jpg");
  many.push_back("same-7.jpg");
  const Names result = names(many);
  CHECK(std::set<std::string>(result.begin(), result.end()).size() == many.size());
}
