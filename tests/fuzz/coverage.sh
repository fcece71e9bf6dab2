#!/usr/bin/env bash
# How many lines of the readers the stored inputs reach, as a table in Markdown: builds the targets
# with clang's coverage, replays corpora, regressions and seeds, and sums up by file.
#   tests/fuzz/coverage.sh [BUILD_DIRECTORY]      default: build/fuzz-coverage
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/fuzz/targets.sh
source tests/fuzz/targets.sh
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

build=${1:-build/fuzz-coverage}
needed_packages+=("${fuzz_packages[@]}")
install_dependencies
mkdir -p "$build"
cmake --preset fuzz-coverage -B "$build" >"$build/configure.log" || { cat "$build/configure.log" >&2 && exit 1; }
nice -n 15 cmake --build "$build" --target fuzz_targets >&2

# The tools of the compiler's own version.
version=$(clang++ -dumpversion)
tool() { command -v "$1-${version%%.*}" || command -v "$1"; }
profdata=$(tool llvm-profdata) cov=$(tool llvm-cov)

echo '| target | file | lines | reached |'
echo '|---|---|---:|---:|'
for target in "${fuzz_targets[@]}"; do
  mapfile -t inputs < <(seed_directories_of "$target")
  read -r -d '' -a files < <(parser_files_of "$target") || true
  program=$build/tests/fuzz/fuzz.$target
  LLVM_PROFILE_FILE=$build/$target.profraw "$program" "${inputs[@]}" >/dev/null 2>&1
  "$profdata" merge -o "$build/$target.profdata" "$build/$target.profraw"
  # The names in the record are the build's way to the files, so they are told by how they end.
  "$cov" export -format=lcov -instr-profile "$build/$target.profdata" "$program" |
    awk -v target="$target" -v wanted="${files[*]}" '
      BEGIN {count = split(wanted, names, " ")}
      function name_of(path, i) {
        for (i = 1; i <= count; ++i)
          if (substr(path, length(path) - length(names[i])) == "/" names[i]) return names[i]
        return ""
      }
      /^SF:/ {file = name_of(substr($0, 4))}
      /^LF:/ {lines = substr($0, 4)}
      /^LH:/ {hit = substr($0, 4)}
      /^end_of_record/ && file != "" {
        printf "| %s | %s | %d | %.1f %% |\n", target, file, lines, 100 * hit / lines
        all += lines; reached += hit
      }
      END {printf "| %s | **all** | %d | **%.1f %%** |\n", target, all, 100 * reached / all}'
done
