# cmake -DOUTPUT=<file.cpp> -DFILES=<a.sql,b.sql,…> -P EmbedMigrations.cmake
# Writes the migrations as raw string literals, in pieces of whole lines: compilers limit the length of one literal.
set(piece_limit 12000)
string(REPLACE "," ";" files "${FILES}")
list(SORT files COMPARE NATURAL)
set(texts "")
set(rows "")
set(expected 1)
foreach(file IN LISTS files)
    get_filename_component(stem "${file}" NAME_WE)
    if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
        message(FATAL_ERROR "${file}: a migration is named 0001_what_it_does.sql")
    endif()
    set(name "${CMAKE_MATCH_2}")
    math(EXPR version "1${CMAKE_MATCH_1} - 10000")
    if(NOT version EQUAL expected)
        message(FATAL_ERROR "${file}: expected migration ${expected}, versions have no gaps and no doubles")
    endif()
    math(EXPR expected "${expected} + 1")

    file(READ "${file}" rest)
    if(rest MATCHES "\\)pgat\"")
        message(FATAL_ERROR "${file}: holds the end mark of a raw string")
    endif()
    string(APPEND texts "constexpr std::string_view text_${version} =")
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
        string(APPEND texts "\n    R\"pgat(${piece})pgat\"")
    endwhile()
    string(APPEND texts ";\n\n")
    string(APPEND rows "    Migration{${version}, \"${name}\", text_${version}},\n")
endforeach()

file(WRITE "${OUTPUT}" "// Generated from sql/migrations/.
#include \"sql/migrations.hpp\"

#include <array>

namespace pgat::sql {
namespace {

${texts}constexpr std::array all{
${rows}};

} // namespace

std::span<const Migration> migrations() noexcept { return all; }

} // namespace pgat::sql
")
