#include "data/voc/xml.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>

#include "core/error.h"

namespace mrcnn {
namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Builds the tree from expat's events. expat is C: an exception must not pass through it, so a
// handler keeps it and stops the parser.
class TreeBuilder {
 public:
  explicit TreeBuilder(const XmlLimits& limits)
      : limits_(limits), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {
    if (parser_ == nullptr) throw MemoryError("[parse_xml] cannot create a parser");
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser_.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser_.get(), on_document_type);
  }

  XmlElement parse(std::span<const std::byte> bytes, const std::string& name) {
    const auto* text = static_cast<const char*>(static_cast<const void*>(bytes.data()));
    const XML_Status status =
        XML_Parse(parser_.get(), text, static_cast<int>(bytes.size()), XML_TRUE);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    if (status != XML_STATUS_OK) {
      const std::string reason =
          problem_.empty()
              ? std::string("damaged XML: ") + XML_ErrorString(XML_GetErrorCode(parser_.get()))
              : problem_;
      throw FileError(ExitCode::kData, name, fmt::format("line {}", line()), reason);
    }
    return std::move(root_);
  }

 private:
  int64_t line() const { return static_cast<int64_t>(XML_GetCurrentLineNumber(parser_.get())); }

  void stop(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  template <typename F>
  void guarded(F&& handle) noexcept {
    if (failure_ != nullptr || !problem_.empty()) return;
    try {
      handle();
    } catch (...) {
      failure_ = std::current_exception();
      XML_StopParser(parser_.get(), XML_FALSE);
    }
  }

  void start(const char* name) {
    if (static_cast<int64_t>(open_.size()) >= limits_.max_depth) {
      return stop(fmt::format("elements are nested deeper than {}", limits_.max_depth));
    }
    if (++num_elements_ > limits_.max_elements) {
      return stop(fmt::format("more than {} elements", limits_.max_elements));
    }
    XmlElement element{name, "", line(), {}};
    open_.push_back(std::move(element));
  }

  void end() {
    XmlElement element = std::move(open_.back());
    open_.pop_back();
    element.text = without_blanks(element.text);
    if (open_.empty()) {
      root_ = std::move(element);
    } else {
      open_.back().children.push_back(std::move(element));
    }
  }

  static TreeBuilder& self(void* data) { return *static_cast<TreeBuilder*>(data); }
  static void on_start(void* data, const char* name, const char**) {
    self(data).guarded([&] { self(data).start(name); });
  }
  static void on_end(void* data, const char*) {
    self(data).guarded([&] { self(data).end(); });
  }
  static void on_text(void* data, const char* text, int length) {
    self(data).guarded([&] {
      std::vector<XmlElement>& open = self(data).open_;
      if (!open.empty()) open.back().text.append(text, static_cast<size_t>(length));
    });
  }
  static void on_document_type(void* data, const char*, const char*, const char*, int) {
    self(data).guarded([&] { self(data).stop("a document type is not allowed in annotations"); });
  }

  XmlLimits limits_;
  std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_;
  std::vector<XmlElement> open_;  // from the root to the innermost
  XmlElement root_;
  int64_t num_elements_ = 0;
  std::string problem_;
  std::exception_ptr failure_;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const XmlElement& one) { return one.name == child; });
  return found == children.end() ? nullptr : &*found;
}

void check_xml_size(int64_t num_bytes, const std::string& name, const XmlLimits& limits) {
  if (num_bytes == 0) throw FileError(ExitCode::kData, name, "", "the file is empty");
  if (num_bytes > limits.max_bytes) {
    throw FileError(ExitCode::kData, name, "",
                    fmt::format("{} bytes are more than the limit of {} for an annotation",
                                num_bytes, limits.max_bytes));
  }
}

XmlElement parse_xml(std::span<const std::byte> bytes, const std::string& name,
                     const XmlLimits& limits) {
  check_xml_size(static_cast<int64_t>(bytes.size()), name, limits);
  return TreeBuilder(limits).parse(bytes, name);
}

}  // namespace mrcnn
