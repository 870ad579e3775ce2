#include "config/variables.hpp"

#include <cctype>

#include <fmt/format.h>

namespace pgat::config {

namespace {

bool is_name(const std::string &text) {
    if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) != 0) return false;
    for (const char c : text)
        if (c != '_' && std::isalnum(static_cast<unsigned char>(c)) == 0) return false;
    return true;
}

} // namespace

std::string replace_variables(const std::string &text, const Environment &environment) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (text[at] != '$' || (next != '$' && next != '{')) {
            result += text[at];
        } else if (next == '$') {
            result += '$';
            ++at;
        } else {
            const auto end = text.find('}', at);
            if (end == std::string::npos)
                throw BadValue(
                    "holds '${' without a '}'; write '$${' for the characters themselves");
            const std::string name = text.substr(at + 2, end - at - 2);
            // What stands in the braces is not shown: it may be a piece of a password.
            if (!is_name(name))
                throw BadValue(
                    "holds '${…}' that does not name an environment variable; write '$${' "
                    "for the characters themselves");
            const auto value = environment.get(name);
            if (!value)
                throw BadValue(fmt::format("environment variable {} is not set; set it, or write "
                                           "'$${{' for the characters themselves",
                                           name));
            result += *value;
            at = end;
        }
    }
    return result;
}

void replace_variables(Node &node, const std::string &path, const Environment &environment,
                       Problems &problems) {
    if (node.kind == Node::Kind::scalar && !node.literal) {
        try {
            node.text = replace_variables(node.text, environment);
        } catch (const BadValue &bad) {
            problems.add(node.place, path, bad.what());
            node.unusable = true;
        }
    }
    for (Node &value : node.values) {
        std::string below = path;
        if (!value.key.empty()) below += below.empty() ? value.key : "." + value.key;
        replace_variables(value, below, environment, problems);
    }
}

} // namespace pgat::config
