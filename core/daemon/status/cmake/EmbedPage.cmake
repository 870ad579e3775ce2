# cmake -DOUTPUT=<file.cpp> -DFOLDER=<page/> -P EmbedPage.cmake
# Joins page.html, page.css and page.js, and writes them as raw string literals, in pieces of whole lines: compilers
# limit the length of one literal.
set(piece_limit 12000)
file(READ "${FOLDER}/page.html" rest)
foreach(part css js)
    file(READ "${FOLDER}/page.${part}" text)
    string(FIND "${rest}" "{{page.${part}}}" place)
    if(place EQUAL -1)
        message(FATAL_ERROR "page.html has no place {{page.${part}}}")
    endif()
    string(REPLACE "{{page.${part}}}" "${text}" rest "${rest}")
endforeach()
if(rest MATCHES "\\)pgat\"")
    message(FATAL_ERROR "the page holds the end mark of a raw string")
endif()
set(pieces "")
string(LENGTH "${rest}" left)
while(left GREATER 0)
    string(SUBSTRING "${rest}" 0 ${piece_limit} piece)
    if(left GREATER piece_limit)
        string(FIND "${piece}" "\n" last REVERSE)
        math(EXPR size "${last} + 1")
    else()
        set(size ${left})
    endif()
    string(SUBSTRING "${rest}" 0 ${size} piece)
    string(SUBSTRING "${rest}" ${size} -1 rest)
    string(LENGTH "${rest}" left)
    string(APPEND pieces "\n    R\"pgat(${piece})pgat\"")
endwhile()
file(WRITE "${OUTPUT}" "// Generated from core/daemon/status/page/.
#include \"daemon/status/page.hpp\"

namespace pgat::daemon {

std::string_view embedded_page() noexcept {
    static constexpr std::string_view page =${pieces};
    return page;
}

} // namespace pgat::daemon
")
