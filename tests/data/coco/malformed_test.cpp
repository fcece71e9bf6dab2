// Files that must be refused, and with which words; or left out where that is asked for.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "tests/data/coco/annotation_text.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

using test::annotation_file;
using test::AnnotationText;

void check_refused(const std::string& content, const std::string& message) {
  const test::TemporaryDirectory folder;
  const std::string path = folder.write("a.json", content);
  CAPTURE(content.substr(0, 400));
  try {
    open_coco(path, "", {.cache_directory = ""});
    FAIL_CHECK("was taken; expected: ", message);
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kData);
    const std::string what = error.what();
    const bool says_so = what.find(message) != std::string::npos;
    CHECK_MESSAGE(says_so, what, " instead of ", message);
    CHECK(what.starts_with(path));
  }
}

void check_annotation(const AnnotationText& annotation, const std::string& message) {
  check_refused(annotation_file(annotation), "annotations[0]" + message);
}

TEST_CASE("Rejects files that are not there, or no files") {
  const test::TemporaryDirectory folder;
  CHECK_THROWS_WITH_AS(open_coco(folder / "a.json", "", {}), doctest::Contains("cannot open"),
                       FileError);
  CHECK_THROWS_WITH_AS(open_coco(folder.path(), "", {}), doctest::Contains("is a directory"),
                       FileError);
  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(open_coco(fifo, "", {}), doctest::Contains("not a regular file"), FileError);
}

TEST_CASE("Rejects files without the sections, or with others in their place") {
  check_refused("{}", "has no \"images\"");
  check_refused("{\"images\": [], \"categories\": []}", "has no \"annotations\"");
  check_refused("{\"images\": [], \"annotations\": []}", "has no \"categories\"");
  check_refused(annotation_file("[]", "[]", "[]"), "categories: is empty");
  check_refused(annotation_file("{\"a\": []}"), "annotations: is not an array");
  check_refused(annotation_file("[]", "null"), "images: is not an array");
  check_refused(annotation_file("[]", "[], \"images\": []"), "images: appears twice");
  check_refused(annotation_file("[1]"), "annotations[0]: is not an object");
  check_refused(annotation_file("[]", "[[1]]"), "images[0]: is not an object");
  check_refused(annotation_file("[]", "[]", "[null]"), "categories[0]: is not an object");
}

TEST_CASE("Rejects invalid JSON with the byte, also in what is not used") {
  check_refused("{\"info\": [1, 2, tru]}", "byte 10: \"info\" is not valid JSON");
  check_refused("{\"info\": {\"a\": 01}}", "\"info\" is not valid JSON");
  check_refused("{\"info\": \"\xC3(\"}", "\"info\" is not valid JSON");
  check_refused("{\"info\": nul}", "\"info\" is not valid JSON");
  check_refused("{\"info\": 1 2}", "where ',' or '}' belongs");
  const std::string good = AnnotationText{}.text();
  const std::string begin = "{\"annotations\": [";
  const std::string second = "byte " + std::to_string(begin.size() + good.size() + 1) + ":";
  for (const char* bad :
       {"{\"a\": tru}", "{\"a\": [1 2]}", "{\"a\" 1}", "{\"a\": nulll}", "{\"a\": 1.}",
        "{\"a\": {\"b\": 1,}}", "{\"a\": \"\\q\"}", "{a: 1}", "{\"a\": [1}}", "{\"bbox\": [1,,2]}",
        "{\"segmentation\": {\"size\": [1, 2}}", "{\"id\": 1 \"area\": 2}"}) {
    CAPTURE(bad);
    check_refused(begin + good + "," + bad + "]}", "is not valid JSON");
  }
  check_refused(begin + good + ",{\"a\": tru}]}", second);
  check_refused(begin + good + ",,{}]}", "is not valid JSON");
  check_refused(begin + "{\"a\": \"\xFF\"}]}", "is not valid JSON");
}

TEST_CASE("Rejects annotations with wrong fields") {
  check_annotation({.id = ""}, ": has no \"id\"");
  check_annotation({.image_id = ""}, " (id 11): has no \"image_id\"");
  check_annotation({.category_id = ""}, " (id 11): has no \"category_id\"");
  check_annotation({.bbox = ""}, " (id 11): has no \"bbox\"");
  check_annotation({.area = ""}, " (id 11): has no \"area\"");
  check_annotation({.area = "1, \"area\": 1"}, " (id 11): area: appears twice");
  check_annotation({.id = "1.5"}, " (id 1.5): id: 1.5 is not a 64-bit integer");
  check_annotation({.id = "9223372036854775808"},
                   " (id 9223372036854775808): id: 9.22337203685477");
  check_annotation({.id = "\"a7\""}, " (id \"a7\"): id: \"a7\" is not a 64-bit integer: number");
  check_annotation({.id = "null"}, ": id: is neither a number nor a string");
  check_annotation({.image_id = "5"}, " (id 11): image_id: there is no image with id 5");
  check_annotation({.image_id = "[7]"}, " (id 11): image_id: is neither");
  check_annotation({.category_id = "2"}, " (id 11): category_id: there is no category with id 2");
  check_annotation({.iscrowd = "2"}, " (id 11): iscrowd: is neither 0 nor 1");
  check_annotation({.iscrowd = "\"1\""}, " (id 11): iscrowd: is neither 0 nor 1");
  check_annotation({.area = "-1"}, " (id 11): area: -1 cannot be");
  check_annotation({.area = "\"6\""}, " (id 11): area: is not a finite number");
  check_annotation({.area = "1e999"}, ": area: is not a finite number");
  check_annotation({.area = "NaN"}, ": area: is not a finite number");
  check_refused(
      annotation_file("[" + AnnotationText{}.text() + ", " + AnnotationText{}.text() + "]"),
      "annotations[1] (id 11): id: appears twice");
}

TEST_CASE("Rejects boxes that are none") {
  check_annotation({.bbox = "[]"}, " (id 11): bbox: has 0 numbers");
  check_annotation({.bbox = "[1, 2, 3]"}, " (id 11): bbox: has 3 numbers");
  check_annotation({.bbox = "[1, 2, 3, 4, 5]"}, " (id 11): bbox[4]: is a fifth number");
  check_annotation({.bbox = "[1, 2, NaN, 4]"}, ": bbox[2]: is not a finite number");
  check_annotation({.bbox = "[1, 2, -Infinity, 4]"}, ": bbox[2]: is not a finite number");
  check_annotation({.bbox = "[1e308, 2, 3, 4]"}, " (id 11): bbox[0]: 1e+308 pixels cannot be");
  check_annotation({.bbox = "[1, 2, 3, -4]"}, " (id 11): bbox[3]: a side of -4 pixels");
  check_annotation({.bbox = "null"}, " (id 11): bbox: is not an array");
  check_annotation({.bbox = "[1, \"2\", 3, 4]"}, " (id 11): bbox[1]: is not a finite number");
}

TEST_CASE("Rejects polygons and run lengths that are none") {
  const auto check = [](const std::string& segmentation, const std::string& message) {
    check_annotation({.segmentation = segmentation}, " (id 11): segmentation" + message);
  };
  check("[[]]", "[0]: has 0 numbers");
  check("[[1, 2]]", "[0]: has 2 numbers");
  check("[[1, 2, 3, 4]]", "[0]: has 4 numbers");
  check("[[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]]", "[1]: has 7 numbers: a polygon has pairs");
  check("[1, 2, 3, 4, 5, 6]", "[0]: is not an array: a polygon is a list [x0, y0, x1, y1, ...]");
  check("[[1, 2, 3, 1e9, 5, 6]]", "[0][3]: a corner at 1000000000 pixels cannot be");
  check("[[1, 2, 3, 1e300, 5, 6]]", "[0][3]: a corner at 1e+300");
  check("[[1, 2, 3, \"4\", 5, 6]]", "[0][3]: is not a finite number");
  check("[[1, 2, 3, [4], 5, 6]]", "[0][3]: is not a finite number");
  check_annotation({.segmentation = "[[1, 2, 3, 05, 5, 6]]"},
                   ": segmentation[0][3]: is not a finite number");
  check("\"abc\"", ": is neither a list of polygons nor run lengths");
  check("{}", ": has no \"size\"");
  check("{\"size\": [4, 5]}", ": has no \"counts\"");
  check("{\"size\": [4], \"counts\": [20]}", ": has no \"size\" of two integers");
  check("{\"size\": 4, \"counts\": [20]}", ": has no \"size\" of two integers");
  check("{\"size\": [4, 5.5], \"counts\": [20]}", ": is not an integer");
  check("{\"size\": [5, 4], \"counts\": [20]}", ": run lengths of 4x5 pixels in an image of 5x4");
  check("{\"size\": [4, 5], \"counts\": [19]}", ": [rle] runs add up to 19");
  check("{\"size\": [4, 5], \"counts\": [1, 20]}", ": [rle] runs add up to more than 20");
  check("{\"size\": [4, 5], \"counts\": [21, -1]}", ": [rle] runs add up to more than 20 at run 0");
  check("{\"size\": [4, 5], \"counts\": [1, -1, 20]}", ": [rle] run 1 is negative: -1");
  check("{\"size\": [4, 5], \"counts\": [1, 2.5]}", "[1]: is not an integer");
  check("{\"size\": [4, 5], \"counts\": [\"20\"]}", "[0]: is not an integer");
  check("{\"size\": [4, 5], \"counts\": [20], \"counts\": [20]}", ": has \"counts\" twice");
  check("{\"size\": [4, 5], \"counts\": null}", ": has \"counts\" that are neither");
  check("{\"size\": [4, 5], \"counts\": \"5 2\"}", ": [rle] byte 32 at 1");
  check("{\"size\": [4, 5], \"counts\": \"P\"}", ": [rle] the string ends inside a number");
  check("{\"size\": [4, 5], \"counts\": \"PPPPPPP0\"}",
        ": [rle] the number before 7 has more than");
  check("{\"size\": [4, 5], \"counts\": \"[20]\"}", ": [rle]");
  check("{\"size\": [0, 0], \"counts\": []}", ": [rle] mask size 0x0");
  check("{\"size\": [2147483648, 2147483648], \"counts\": [1]}", ": [rle] mask size");
  std::string many = "[[0";
  for (int i = 0; i < 2000000; ++i) many += ",0";
  check(many + "]]", "[0][2000001]: more than 2000000 numbers in a polygon");
}

TEST_CASE("Rejects images and categories with wrong fields") {
  const auto check = [](const std::string& fields, const std::string& message) {
    check_refused(annotation_file("[]",
                                  "[{\"id\": 1, \"file_name\": \"a\", \"height\": 1, "
                                  "\"width\": 1}, {\"id\": 2, " +
                                      fields + "}]"),
                  "images[1] (id 2): " + message);
  };
  const std::string sized = "\"height\": 1, \"width\": 1, \"file_name\": ";
  check("\"height\": 1, \"width\": 1", "has no \"file_name\"");
  check(sized + "\"a\", \"file_name\": \"b\"", "file_name: appears twice");
  check(sized + "7", "file_name: is not a string");
  check(sized + "\"\"", "file_name: names no file");
  check(sized + "\"a/\"", "file_name: names no file");
  check(sized + "\"../../etc/passwd\"", "file_name: leads out of the image folder");
  check(sized + "\"a/../../b\"", "file_name: leads out");
  check(sized + "\"/etc/passwd\"", "file_name: is an absolute path: make it relative");
  check(sized + "\"a\\u0000b\"", "file_name: holds a zero byte");
  check(sized + "\"" + std::string(5120, 'a') + "\"", "file_name: has more than 4096 bytes");
  check("\"file_name\": \"a\", \"width\": 1", "has no \"height\"");
  check("\"file_name\": \"a\", \"width\": 1, \"height\": 0", "an image of 1x0 pixels");
  check("\"file_name\": \"a\", \"width\": -1, \"height\": 1", "an image of -1x1 pixels");
  check("\"file_name\": \"a\", \"width\": 1.5, \"height\": 1", "width: is not an integer");
  check("\"file_name\": \"a\", \"width\": 2147483648, \"height\": 1", "an image of 2147483648x1");
  check("\"file_name\": \"a\", \"width\": 65501, \"height\": 1",
        "an image of 65501x1 pixels has a side of more than 65500");
  check("\"file_name\": \"a\", \"width\": 1, \"height\": 65501",
        "an image of 1x65501 pixels has a side of more than 65500");
  check("\"file_name\": \"a\", \"width\": 9e99, \"height\": 1", "width: is not an integer");
  const std::string two = "{\"id\": 7, \"file_name\": \"a\", \"height\": 1, \"width\": 1}";
  check_refused(annotation_file("[]", "[" + two + ", " + two + "]"),
                "images[1] (id 7): id: appears twice");
  check_refused(annotation_file("[]", "[]",
                                "[{\"id\": 1, \"name\": \"a\"}, {\"id\": 1, "
                                "\"name\": \"b\"}]"),
                "categories: id 1 appears twice");
  check_refused(annotation_file("[]", "[]", "[{\"id\": 1}]"),
                "categories[0] (id 1): has no \"name\"");
  check_refused(annotation_file("[]", "[]", "[{\"id\": 9223372036854775808, \"name\": \"a\"}]"),
                "categories[0] (id 9223372036854775808): id: 9.22337203685477");
}

TEST_CASE("OddButHarmlessFilesAreRead") {
  const auto open = [](const std::string& content) {
    const test::TemporaryDirectory folder;
    return open_coco(folder.write("a.json", content), "", {.cache_directory = ""});
  };
  const std::string images =
      R"([{"id": 0, "file_name": "a.jpg", "height": 4, "width": 5, "x": {"y": [[]]}},
          {"id": -1, "file_name": "a.jpg", "height": 1, "width": 1}])";
  const auto data = open(annotation_file(
      "[" + AnnotationText{.id = "0", .image_id = "0", .bbox = "[-3, 0.5, 0, 0]"}.text() + "]",
      images));
  CHECK(data->size() == 2);
  CHECK(data->image(0).id == -1);
  CHECK(data->objects(1).at(0).id == 0);
  CHECK(open(annotation_file("[]", "[]"))->size() == 0);
  std::string many;
  for (int i = 1; i <= 100000; ++i) {
    many += (many.empty() ? "[" : ",") + std::string("{\"id\":") + std::to_string(i) +
            ",\"name\":\"n\"}";
  }
  CHECK(open(annotation_file("[]", "[]", many + "]"))->num_classes() == 100001);
}

// The annotation with this number is the only bad one of a file of several megabytes.
std::string file_with_bad(const std::vector<std::pair<int, std::string>>& bad) {
  std::string annotations = "[";
  const std::string filler = ", \"x\": \"" + std::string(1500, ' ') + "\"";
  for (int i = 0; i < 3000; ++i) {
    AnnotationText one{.id = std::to_string(i)};
    for (const auto& [number, box] : bad) {
      if (number == i) one.bbox = box;
    }
    one.iscrowd += filler;
    annotations += (i == 0 ? "" : ", ") + one.text();
  }
  return annotation_file(annotations + "]");
}

TEST_CASE("TheFirstProblemOfTheFileIsTheOneThrown") {
  const std::string content = file_with_bad({{700, "[]"}, {2100, "[1]"}, {2990, "null"}});
  const int before = num_threads();
  for (const int threads : {1, 2, 7}) {
    set_num_threads(threads);
    for (int i = 0; i < 5; ++i) {
      check_refused(content, "annotations[700] (id 700): bbox: has 0 numbers");
    }
    check_refused(content.substr(0, content.size() - 200), "annotations[700] (id 700)");
  }
  set_num_threads(before);
}

TEST_CASE("ProblemsAreToldOfAndLeftOutWhereThatIsAskedFor") {
  const test::TemporaryDirectory folder;
  std::vector<std::string> problems;
  const auto open = [&](const std::string& content) {
    problems.clear();
    return open_coco(folder.write("a.json", content), "",
                     {.cache_directory = folder.path(),
                      .cache_min_bytes = 0,
                      .on_problem = [&](const std::string& place, const std::string& problem) {
                        problems.push_back(place + ": " + problem);
                      }});
  };
  for (int i = 0; i < 2; ++i) {  // the second time, too: what has problems is not cached
    const auto data = open(file_with_bad({{700, "[]"}, {2100, "[1, 2, [3], 4]"}, {2990, "null"}}));
    CHECK(data->objects(1).size() == 2997);
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].starts_with("annotations[700] (id 700): bbox"));
    CHECK(problems[1] == "annotations[2100] (id 2100): bbox[2]: is not a finite number");
    CHECK(problems[2] == "annotations[2990] (id 2990): bbox: is not an array");
  }
  // Problems inside nested values, of images, and between elements.
  std::string annotations = "[";
  const std::vector<AnnotationText> list = {
      {.id = "1", .segmentation = "[[1, 2, [3, {\"a\": []}], 4], [5]]"},
      {.id = "2", .image_id = "3"},
      {.id = "3", .segmentation = "{\"counts\": [1, [2]], \"size\": [4, 5]}"},
      {.id = "4", .category_id = "9"},
      {.id = "5"},
      {.id = "5", .area = "7"},
      {.id = "6", .segmentation = "{\"counts\": [6], \"size\": [2, 3]}"},
      {.id = "7"}};
  for (const AnnotationText& one : list) annotations += one.text() + ", ";
  annotations += "7, [1], {}]";
  const auto data =
      open(annotation_file(annotations,
                           "[{\"id\": 3, \"file_name\": \"/a\", \"height\": 4, \"width\": 5}, "
                           "{\"id\": 7, \"file_name\": \"a\", \"height\": 4, \"width\": 5}]"));
  CHECK(data->size() == 1);
  const std::vector<DatasetObject> objects = data->objects(0);
  REQUIRE(objects.size() == 2);
  CHECK(objects[0].id == 5);
  CHECK(objects[0].area == 6);
  CHECK(objects[1].id == 7);
  CHECK(objects[1].mask == Rle{4, 5, {5, 2, 2, 2, 2, 2, 5}});
  const std::vector<std::string> expected = {
      "images[0] (id 3): file_name: is an absolute path: make it relative to the image folder",
      "annotations[0] (id 1): segmentation[0][2]: is not a finite number",
      "annotations[2] (id 3): segmentation[1]: is not an integer",
      "annotations[8]: is not an object",
      "annotations[9]: is not an object",
      "annotations[10]: has no \"id\"",
      "annotations[1] (id 2): image_id: there is no image with id 3",
      "annotations[3] (id 4): category_id: there is no category with id 9",
      "annotations[5] (id 5): id: appears twice",
      "annotations[6] (id 6): segmentation: run lengths of 3x2 pixels in an image of 5x4"};
  CHECK(problems == expected);
  // What is wrong with the file as a whole is thrown in any case.
  CHECK_THROWS_AS(open("{\"images\": []}"), FileError);
  CHECK_THROWS_AS(open(annotation_file("[{]")), FileError);
}

}  // namespace
}  // namespace mrcnn
