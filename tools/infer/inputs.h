// Turns what the user named (files, directories, patterns, lists) into images in a fixed order.
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace mrcnn {

struct InputImage {
  std::string path;      // opens the file; also the `file_name` of the results
  std::string relative;  // below the directory that was searched, or just the file's name
};

struct Inputs {
  std::vector<InputImage> images;       // in the order given; the content of a directory by name
  std::vector<std::string> duplicates;  // named again; each is in `images` once
  std::vector<std::string> problems;    // "path: what is wrong", one per name that gave no image
};

// Each argument is
//   a file           taken whatever its extension
//   a directory      searched recursively for *.jpg *.jpeg *.jpe *.jfif *.png in any case; entries
//                    that start with '.' and links to directories are left out
//   a pattern        expanded as by a shell if nothing has that very name
//   @FILE            a list: one file or directory per line, relative to the working directory
//   -                such a list on `standard_input`
// Throws UsageError if standard input is asked for twice, FileError if a list cannot be read.
Inputs gather_inputs(const std::vector<std::string>& arguments, std::istream& standard_input);

// Whether a directory search takes a file of this name.
bool has_image_extension(const std::string& path);

}  // namespace mrcnn
