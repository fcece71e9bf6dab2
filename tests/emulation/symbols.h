// Names from the program's own symbol table: kernels, shared variables and source lines. Programs
// that run on the emulated device must not be stripped.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace emu {

struct Range {
  char* begin;
  char* end;
};

// Every __shared__ variable of the program.
const std::vector<Range>& shared_variables();
// The demangled name of the function or variable at an address; "?" if there is none.
std::string function_at(const void* address);
std::string variable_at(const void* address);
// "file:line" of an instruction, the lines it was inlined into after it, each on its own line that
// starts with "    at "; "" without debug information.
std::string source_lines(const void* instruction);
// Code, constants and global variables of the program.
Range program_image();

}  // namespace emu
