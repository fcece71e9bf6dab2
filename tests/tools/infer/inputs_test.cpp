#include "tools/infer/inputs.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "tests/support/temporary_directory.h"

using namespace mrcnn;
using test::TemporaryDirectory;

namespace {

Inputs gather(const std::vector<std::string>& arguments, const std::string& standard_input = "") {
  std::istringstream stream(standard_input);
  return gather_inputs(arguments, stream);
}

std::vector<std::string> relatives(const Inputs& inputs) {
  std::vector<std::string> names;
  for (const InputImage& image : inputs.images) names.push_back(image.relative);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("ReportsNamesThatGiveNoImage") {
  const TemporaryDirectory folder;
  folder.write("empty/notes.txt");
  REQUIRE(mkfifo((folder / "pipe.jpg").c_str(), 0600) == 0);
  const Inputs inputs =
      gather({folder / "missing.jpg", folder / "empty", folder / "pipe.jpg", folder / "*.png", ""});
  CHECK(inputs.images.empty());
  REQUIRE(inputs.problems.size() == 5);
  CHECK(inputs.problems[0] == folder / "missing.jpg: no such file or directory");
  CHECK(inputs.problems[1] == folder / "empty: no .jpg, .jpeg or .png file in this directory");
  CHECK(inputs.problems[2] == folder / "pipe.jpg: is neither a file nor a directory");
  CHECK(inputs.problems[3] == folder / "*.png: the pattern matches nothing");
  CHECK(inputs.problems[4] == "'': no such file or directory");
}

TEST_CASE("RejectsListsThatAreNotLists") {
  const TemporaryDirectory folder;
  const std::string binary = folder.write("photo.jpg", std::string("ab\nc\0d", 6));
  CHECK_THROWS_WITH_AS(gather({"@" + binary}), doctest::Contains("line 2: holds a zero byte"),
                       FileError);
  CHECK_THROWS_AS(gather({"@" + (folder / "missing.txt")}), FileError);
  CHECK_THROWS_AS(gather({"@"}), UsageError);
  CHECK_THROWS_WITH_AS(gather({"-", "-"}), doctest::Contains("asked for twice"), UsageError);
  CHECK_THROWS_AS(gather({"-", "@-"}), UsageError);
}

TEST_CASE("TakesFilesInTheOrderGivenWhateverTheirExtension") {
  const TemporaryDirectory folder;
  const std::string b = folder.write("b.jpg");
  const std::string a = folder.write("sub/a.dat");
  const Inputs inputs = gather({b, a});
  REQUIRE(inputs.images.size() == 2);
  CHECK(inputs.images[0].path == b);
  CHECK(inputs.images[0].relative == "b.jpg");
  CHECK(inputs.images[1].path == a);
  CHECK(inputs.images[1].relative == "a.dat");
  CHECK(inputs.problems.empty());
}

TEST_CASE("SearchesDirectoriesRecursivelyInNameOrder") {
  const TemporaryDirectory folder;
  for (const char* name :
       {"in/z.jpg", "in/a.PNG", "in/sub/deep/m.jpeg", "in/sub/k.JPE", "in/sub/q.jfif",
        "in/notes.txt", "in/.hidden.jpg", "in/.cache/t.jpg", "in/jpg"}) {
    folder.write(name);
  }
  std::filesystem::create_directory_symlink(folder / "in", folder / "in/loop");
  std::filesystem::create_symlink(folder / "in/z.jpg", folder / "in/link.jpg");
  std::filesystem::create_symlink(folder / "gone.jpg", folder / "in/broken.jpg");
  const Inputs inputs = gather({folder / "in"});
  CHECK(relatives(inputs) ==
        Names{"a.PNG", "link.jpg", "sub/deep/m.jpeg", "sub/k.JPE", "sub/q.jfif", "z.jpg"});
  CHECK(inputs.images[2].path == folder / "in/sub/deep/m.jpeg");
  CHECK(inputs.problems.empty());
  CHECK(relatives(gather({folder / "in/"})) == relatives(inputs));
  CHECK(gather({folder / "in/loop"}).images.size() == 6);  // a link that is named is followed
}

TEST_CASE("ExpandsPatternsThatTheShellDidNot") {
  const TemporaryDirectory folder;
  for (const char* name : {"a1.jpg", "a2.jpg", "b.png", "dir1/x.jpg", "[odd].jpg"}) {
    folder.write(name);
  }
  CHECK(relatives(gather({folder / "a?.jpg"})) == Names{"a1.jpg", "a2.jpg"});
  CHECK(relatives(gather({folder / "{b,a1}*"})) == Names{"a1.jpg", "b.png"});
  CHECK(relatives(gather({folder / "dir*"})) == Names{"x.jpg"});
  CHECK(relatives(gather({folder / "[odd].jpg"})) == Names{"[odd].jpg"});  // has that very name
}

TEST_CASE("ReadsListsFromFilesAndStandardInput") {
  const TemporaryDirectory folder;
  const std::string a = folder.write("a b.jpg");
  const std::string star = folder.write("x*.jpg");
  folder.write("d/c.png");
  const std::string text = a + "\r\n\n" + star + "\n" + (folder / "d");  // no final line break
  const Names expected = {"a b.jpg", "x*.jpg", "c.png"};
  CHECK(relatives(gather({"-"}, text)) == expected);
  CHECK(relatives(gather({"@-"}, text)) == expected);
  CHECK(relatives(gather({"@" + folder.write("list.txt", text)})) == expected);
  CHECK(gather({"-"}, folder / "y*.jpg\n").problems.size() == 1);  // no patterns in lists
  CHECK(gather({"-"}, "").images.empty());
}

TEST_CASE("DoesAnImageOnceHoweverOftenItIsNamed") {
  const TemporaryDirectory folder;
  const std::string a = folder.write("in/a.jpg");
  std::filesystem::create_directory_symlink(folder / "in", folder / "same");
  const Inputs inputs =
      gather({a, folder / "in/../in/./a.jpg", folder / "same/a.jpg", folder / "in"});
  REQUIRE(inputs.images.size() == 1);
  CHECK(inputs.images[0].path == a);
  CHECK(inputs.duplicates ==
        Names{folder / "in/../in/./a.jpg", folder / "same/a.jpg", folder / "in/a.jpg"});
}

TEST_CASE("KnowsImageExtensions") {
  for (const char* name : {"a.jpg", "x/b.JPEG", "c.PnG", "d.jfif", "e.jpe", "f.tar.png"}) {
    CHECK(has_image_extension(name));
  }
  for (const char* name : {"a.gif", "jpg", ".jpg", "a.jpg.txt", "a.", "png/readme"}) {
    CHECK_FALSE(has_image_extension(name));
  }
}
