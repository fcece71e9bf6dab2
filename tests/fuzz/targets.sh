#!/usr/bin/env bash
# What the scripts know of the targets: how long inputs may be, where seeds lie beside the stored
# corpus, and the files that are to be covered. Sourced by campaign.sh and coverage.sh.

# shellcheck disable=SC2034 # used by those
fuzz_targets=(pth safetensors coco_json image pkl voc)
# Of these a release wants the full number of executions.
# shellcheck disable=SC2034
core_fuzz_targets=(pth safetensors coco_json image)

# clang brings libFuzzer and the sanitizers, llvm the tools that read coverage, libomp the header of
# clang's OpenMP.
# shellcheck disable=SC2034
fuzz_packages=(clang llvm libomp-dev)

# Longest input in bytes: enough for every structure of the format; longer ones only take longer.
max_length_of() {
  case $1 in
    coco_json | pkl | voc) echo 2048 ;;
    *) echo 4096 ;;
  esac
}

# Directories of inputs in the repository, from its root.
seed_directories_of() {
  local directory
  for directory in "tests/fuzz/corpus/$1" "tests/fuzz/regressions/$1"; do
    [[ -d $directory ]] && echo "$directory"
  done
  case $1 in
    pth | pkl) echo tests/golden/pth ;;
    image) echo tests/golden/images ;;
  esac
}

# The readers behind a target.
parser_files_of() {
  case $1 in
    pth) echo tools/weights.cpp tools/pth/*.cpp ;;
    pkl) echo tools/pth/{builder,builder_numpy,builder_torch,pickle,pickle_graph,state_dict}.cpp ;;
    safetensors)
      echo core/io/safetensors{,_writer}.cpp
      echo tools/trainer/{checkpoint_format,checkpoint_reader,train_facts}.cpp
      ;;
    coco_json)
      echo data/coco/{annotation_parser,annotation_reader,detection_file,element_checks}.cpp
      echo data/coco/{element_parser,geometry,json_nesting,json_sections,piece_parser}.cpp
      echo data/coco/table_builder.cpp data/masks/{polygon,rle,rle_string}.cpp
      ;;
    image) echo data/image/{decode,exif,jpeg,jpeg_markers,png_chunks,png_decode}.cpp ;;
    voc) echo data/voc/{annotation,instance_masks,xml}.cpp ;;
  esac
}
