#include "tests/emulation/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace emu {
namespace {

struct Symbol {
  uintptr_t begin;
  uintptr_t bytes;
  const char* name;
  bool is_function;
};

// dladdr() does not know functions of anonymous namespaces, which kernels usually are, and no call
// lists variables by section: the table is read from the file.
class SymbolTable {
 public:
  SymbolTable() {
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* table) {
          static_cast<SymbolTable*>(table)->base_ = info->dlpi_addr;
          return 1;  // the first entry is the program
        },
        this);
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || fstat(file, &status) != 0) return;
    void* const image =
        mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (image != MAP_FAILED) read(static_cast<const char*>(image));
  }

  uintptr_t base() const { return base_; }
  const std::vector<Range>& shared() const { return shared_; }

  std::string name_at(const void* address, bool is_function) const {
    const auto at = reinterpret_cast<uintptr_t>(address);
    for (const Symbol& symbol : symbols_) {
      if (symbol.is_function != is_function || at - symbol.begin >= symbol.bytes) continue;
      int status = 0;
      char* const demangled = abi::__cxa_demangle(symbol.name, nullptr, nullptr, &status);
      std::string name = demangled ? demangled : symbol.name;
      std::free(demangled);
      return name;
    }
    return "?";
  }

 private:
  void read(const char* image) {
    const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(image);
    const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(image + header->e_shoff);
    const char* const section_names = image + sections[header->e_shstrndx].sh_offset;
    for (int i = 0; i < header->e_shnum; ++i) {
      if (sections[i].sh_type != SHT_SYMTAB) continue;
      const auto* const begin = reinterpret_cast<const Elf64_Sym*>(image + sections[i].sh_offset);
      const char* const names = image + sections[sections[i].sh_link].sh_offset;
      for (size_t k = 0; k < sections[i].sh_size / sizeof(*begin); ++k) {
        const Elf64_Sym& entry = begin[k];
        const std::string_view section = entry.st_shndx < header->e_shnum
                                             ? section_names + sections[entry.st_shndx].sh_name
                                             : "";
        add(entry, names + entry.st_name, section);
      }
    }
  }

  void add(const Elf64_Sym& entry, const char* name, std::string_view section) {
    const int type = ELF64_ST_TYPE(entry.st_info);
    if ((type != STT_FUNC && type != STT_OBJECT) || entry.st_size == 0) return;
    symbols_.push_back({base_ + entry.st_value, entry.st_size, name, type == STT_FUNC});
    if (type != STT_OBJECT || !section.starts_with(".noinit")) return;
    char* const begin = reinterpret_cast<char*>(base_ + entry.st_value);
    shared_.push_back({begin, begin + entry.st_size});
  }

  uintptr_t base_ = 0;
  std::vector<Symbol> symbols_;
  std::vector<Range> shared_;
};

const SymbolTable& table() {
  static const SymbolTable symbols;
  return symbols;
}

}  // namespace

const std::vector<Range>& shared_variables() { return table().shared(); }
std::string function_at(const void* address) { return table().name_at(address, true); }
std::string variable_at(const void* address) { return table().name_at(address, false); }

std::string source_lines(const void* instruction) {
  char program[512] = {};
  if (instruction == nullptr || readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
    return {};
  }
  char command[700];
  // A return address lies behind its call.
  std::snprintf(command, sizeof(command), "addr2line -i -e '%s' %#zx 2>/dev/null", program,
                static_cast<size_t>(reinterpret_cast<uintptr_t>(instruction) - 1 - table().base()));
  std::string lines;
  FILE* const pipe = popen(command, "r");
  if (pipe == nullptr) return lines;
  for (char line[700]; std::fgets(line, sizeof(line), pipe) != nullptr;) {
    const std::string_view text(line, std::strcspn(line, " \n"));  // drops "(discriminator 3)"
    if (!text.starts_with('?')) lines += "\n    at " + std::string(text);
  }
  pclose(pipe);
  return lines;
}

Range program_image() {
  Range image{reinterpret_cast<char*>(UINTPTR_MAX), nullptr};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* range) {
        auto& all = *static_cast<Range*>(range);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD) continue;
          char* const begin = reinterpret_cast<char*>(info->dlpi_addr + segment.p_vaddr);
          all = {std::min(all.begin, begin), std::max(all.end, begin + segment.p_memsz)};
        }
        return 1;  // the first entry is the program
      },
      &image);
  return image;
}

}  // namespace emu
