// Look-ups in JSON: whatever the document and the pointer, nothing is read outside of them; a document that
// is JSON gives the same answer whether it lasts or passes; and only JSON is taken for it. The input is a
// pointer, a newline, a document.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <pgat/sink.h>

#include "sinks/json_lookup.hpp"

namespace {

using namespace pgat::sinks;

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char *>(data), size);
    const auto line = input.find('\n');
    if (line == std::string_view::npos) return 0;
    const std::string pointer(input.substr(0, line));
    const std::string document(input.substr(line + 1));

    JsonLookup lookup;
    std::string_view passing;
    std::string_view lasting;
    const auto kind = lookup.get(document, Lifetime::passing, pointer, passing);
    const auto same = lookup.get(document, Lifetime::lasting, pointer, lasting);
    require(same == lookup.get(document, Lifetime::lasting, pointer, lasting));
    std::size_t members = 0;
    const auto count = [&](std::string_view, std::int32_t, std::string_view) {
        ++members;
        return 0;
    };
    for (const Lifetime lifetime : {Lifetime::passing, Lifetime::lasting})
        lookup.each(document, lifetime, pointer, count);
    if (kind == PGAT_JSON_INVALID) return 0;

    require(kind == same && passing == lasting);
    // Their library refuses only numbers beyond a double of what is JSON.
    require(nlohmann::json::accept(document) || document.find_first_of("eE") != std::string::npos ||
            document.size() > 300);
    return 0;
}
