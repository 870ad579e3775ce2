#include "config/values.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pgat::config {

namespace {

std::string shown(const Node &node) {
    if (node.kind != Node::Kind::scalar) return node.kind_name();
    return '"' + node.written + '"';
}

const std::string &scalar(const Node &node, const std::string &wanted) {
    if (node.kind != Node::Kind::scalar)
        throw BadValue(fmt::format("must be {}, is {}", wanted, node.kind_name()));
    return node.text;
}

bool parse_whole(const std::string &text, std::int64_t &value) {
    const char *begin = text.data();
    const char *end = begin + text.size();
    if (end - begin > 1 && *begin == '+') ++begin;
    const auto [stop, error] = std::from_chars(begin, end, value);
    return error == std::errc() && stop == end;
}

} // namespace

std::int64_t whole_number(const Node &node, std::int64_t least, std::int64_t most) {
    const std::string wanted = fmt::format("a whole number from {} to {}", least, most);
    std::int64_t value = 0;
    if (!parse_whole(scalar(node, wanted), value) || value < least || value > most)
        throw BadValue(fmt::format("must be {}, is {}", wanted, shown(node)));
    return value;
}

bool true_or_false(const Node &node) {
    const std::string &text = scalar(node, "true or false");
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    throw BadValue(fmt::format("must be true or false, is {}", shown(node)));
}

std::string string(const Node &node) { return scalar(node, "a string"); }

std::vector<std::string> strings(const Node &node) {
    if (node.kind == Node::Kind::scalar) return {node.text};
    if (node.kind != Node::Kind::list)
        throw BadValue(
            fmt::format("must be a string or a list of strings, is {}", node.kind_name()));
    std::vector<std::string> result;
    for (const Node &item : node.values)
        if (!item.unusable) result.push_back(scalar(item, "a list of strings"));
    return result;
}

std::size_t one_of(const Node &node, const std::vector<std::string> &words) {
    const std::string wanted = fmt::format("one of {}", fmt::join(words, ", "));
    const std::string &text = scalar(node, wanted);
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) throw BadValue(fmt::format("must be {}, is {}", wanted, shown(node)));
    return static_cast<std::size_t>(found - words.begin());
}

std::string listen_address(const Node &node) {
    const std::string wanted = "an address and port such as 127.0.0.1:9464 or [::1]:9464, or \"\"";
    const std::string &text = scalar(node, wanted);
    if (text.empty()) return text;
    const auto colon = text.rfind(':');
    std::int64_t port = -1;
    bool good = colon != std::string::npos && colon > 0 &&
                parse_whole(text.substr(colon + 1), port) && port >= 0 && port <= 65535;
    if (good) {
        const std::string host = text.substr(0, colon);
        const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
        good = bracketed || host.find_first_of(":[]/ ") == std::string::npos;
    }
    if (!good) throw BadValue(fmt::format("must be {}, is {}", wanted, shown(node)));
    return text;
}

std::string json_pointer(const Node &node) {
    const std::string wanted = "a JSON pointer such as /group_id, or \"\"";
    const std::string &text = scalar(node, wanted);
    bool good = text.empty() || text.front() == '/';
    for (std::size_t at = text.find('~'); good && at != std::string::npos;
         at = text.find('~', at + 1))
        good = at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1');
    if (!good) throw BadValue(fmt::format("must be {}, is {}", wanted, shown(node)));
    return text;
}

std::string slot_name(const Node &node) {
    const std::string wanted = "1 to 63 lower-case letters, digits and underscores";
    const std::string &text = scalar(node, wanted);
    const bool good =
        !text.empty() && text.size() <= 63 &&
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!good) throw BadValue(fmt::format("must be {}, is {}", wanted, shown(node)));
    return text;
}

} // namespace pgat::config
