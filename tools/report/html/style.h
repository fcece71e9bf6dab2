// How pages and charts look: light and dark as the reader's system wants it, colours that people
// with a colour vision deficiency tell apart.
#pragma once

#include <string_view>

namespace mrcnn {

// Colours and what is drawn inside an <svg>; what a drawing on its own needs.
std::string_view chart_style();
// Everything else of a page.
std::string_view page_style();

}  // namespace mrcnn
