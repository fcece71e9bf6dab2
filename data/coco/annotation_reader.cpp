#include "data/coco/annotation_reader.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "data/coco/json_sections.h"
#include "data/coco/parse_pieces.h"
#include "data/coco/piece_parser.h"

namespace mrcnn {
namespace {

// In annotation files, one byte of packed geometry stands for four of text or more.
constexpr int64_t kTextPerGeometryWord = 4 * static_cast<int64_t>(sizeof(uint32_t));

}  // namespace

ReadAnnotations read_annotations(SourceFile& source, const CocoProblemHandler& on_problem,
                                 Sha256* hash) {
  JsonSections sections(source, JsonRoot::kSections, hash);
  TableBuilder builder(source.path(), on_problem);
  builder.reserve_geometry(static_cast<size_t>(source.stamp().size / kTextPerGeometryWord));
  parse_pieces<ParsedPiece>(
      sections,
      [&source] {
        return [parser = std::make_unique<PieceParser>(source.path())](const JsonPiece& piece) {
          return parser->parse(piece);
        };
      },
      [&builder](ParsedPiece&& piece) { builder.add(std::move(piece)); });
  ReadAnnotations result;
  result.tables = std::move(builder).finish();
  result.num_problems = builder.num_problems();
  source.check_unchanged();
  return result;
}

}  // namespace mrcnn
