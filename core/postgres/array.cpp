#include "postgres/array.hpp"

#include "base/error.hpp"

namespace pgat::postgres {

std::string text_array(const std::vector<std::optional<std::string_view>> &texts) {
    std::size_t size = 2;
    for (const auto &text : texts)
        size += text ? text->size() + text->size() / 8 + 3 : 5;
    std::string array;
    array.reserve(size);
    array += '{';
    for (const auto &text : texts) {
        if (array.size() > 1) array += ',';
        if (!text) {
            array += "NULL";
            continue;
        }
        array += '"';
        for (const char c : *text) {
            if (c == '"' || c == '\\') array += '\\';
            array += c;
        }
        array += '"';
    }
    return array += '}';
}

std::vector<std::string_view> split_number_array(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        throw Error(Remedy::stop,
                    fmt::format("Postgres answered \"{}\" where an array was expected", text));
    text = text.substr(1, text.size() - 2);
    std::vector<std::string_view> elements;
    while (!text.empty()) {
        const auto comma = text.find(',');
        elements.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return elements;
}

} // namespace pgat::postgres
