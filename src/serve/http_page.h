// The page at "/": serve/page.html, page.css and page.js, as CMake put them into the program.
#pragma once

namespace ferplus::serve {

extern const char* const kPageHtml;
extern const char* const kPageCss;
extern const char* const kPageJs;

}  // namespace ferplus::serve
