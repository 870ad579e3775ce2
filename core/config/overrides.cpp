#include "config/overrides.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/keys.hpp"
#include "config/secrets.hpp"

namespace pgat::config {

namespace {

constexpr std::string_view prefix = "ASYNC_TRIGGERS_";

// "tls.CA-file" as a variable's name spells it: "tls_ca_file".
std::string as_in_a_variable(std::string_view key) {
    std::string result;
    for (const char c : key) {
        if (c == '-' || c == '.')
            result += '_';
        else
            result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

std::vector<std::string> split(std::string_view name) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0;;) {
        const auto end = name.find("__", begin);
        parts.push_back(as_in_a_variable(name.substr(begin, end - begin)));
        if (end == std::string_view::npos) return parts;
        begin = end + 2;
    }
}

Node text_node(const std::string &text, const std::string &place, bool quoted) {
    Node node;
    node.place = place;
    node.kind = Node::Kind::scalar;
    node.text = node.written = text;
    node.quoted = quoted;
    node.literal = true;
    return node;
}

Node from_json(const nlohmann::json &json, const std::string &place) {
    Node node;
    node.place = place;
    if (json.is_object() || json.is_array()) {
        node.kind = json.is_object() ? Node::Kind::map : Node::Kind::list;
        for (const auto &[key, value] : json.items()) {
            node.values.push_back(from_json(value, place));
            if (json.is_object()) node.values.back().key = key;
        }
    } else if (json.is_string()) {
        node = text_node(json.get<std::string>(), place, true);
    } else if (!json.is_null()) {
        node = text_node(json.dump(), place, false);
    }
    return node;
}

// Under `sink` what reads as JSON is taken so. Elsewhere, and for a secret, only a list is: a password such
// as 12345 or [x] stays what it is.
Node parse(const std::string &text, const std::string &key, bool in_sink,
           const std::string &place) {
    const bool wants_text = is_secret(key) || !secret_of_file_key(key).empty();
    if (wants_text ? in_sink && text.starts_with("[\"") : in_sink || text.starts_with('[')) {
        const auto json = nlohmann::json::parse(text, nullptr, false);
        if (!json.is_discarded()) return from_json(json, place);
    }
    return text_node(text, place, true);
}

// What the file says in another way than the variable is overridden too: password by PASSWORD_FILE.
std::string alternative(const std::string &path, const std::string &name) {
    if (const Key *key = find_key(path)) {
        const auto dot = key->excludes.rfind('.');
        return dot == std::string::npos ? "" : key->excludes.substr(dot + 1);
    }
    const std::string secret = secret_of_file_key(name);
    if (!secret.empty()) return secret;
    return is_secret(name) ? name + "_file" : std::string();
}

Node &member(Node &map, const std::string &name, const std::string &place) {
    if (map.kind != Node::Kind::map) {
        map.kind = Node::Kind::map;
        map.values.clear();
    }
    for (Node &value : map.values)
        if (as_in_a_variable(value.key) == name) return value;
    map.values.emplace_back();
    map.values.back().key = name;
    map.values.back().place = place;
    return map.values.back();
}

void put(Node &root, const std::vector<std::string> &names, const std::string &text,
         const std::string &place) {
    Node *at = &root;
    std::string path;
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
        at = &member(*at, names[i], place);
        path += names[i] + ".";
    }
    const std::string other = alternative(path + names.back(), names.back());
    std::erase_if(at->values, [&](const Node &value) {
        return !other.empty() && !value.literal && as_in_a_variable(value.key) == other;
    });
    Node &target = member(*at, names.back(), place);
    const std::string key = target.key;
    target = parse(text, key, names.front() == "sink" && path + key != "sink.type", place);
    target.key = key;
}

// ASYNC_TRIGGERS_STREAM_ID: one underscore where two belong. Empty: no such mistake.
std::string meant(const std::string &variable) {
    for (const std::string &path : known_paths()) {
        std::string single = variable_of(path);
        if (path.find('.') == std::string::npos) {
            if (path != "log" && single == variable) return single + "__" + "<KEY>";
            continue;
        }
        for (auto at = single.find("__"); at != std::string::npos; at = single.find("__"))
            single.erase(at, 1);
        if (single == variable) return variable_of(path);
    }
    return {};
}

} // namespace

std::size_t apply_overrides(Node &root, const Environment &environment, Problems &problems) {
    std::size_t count = 0;
    for (const auto &[name, text] : environment.all()) {
        if (!name.starts_with(prefix)) continue;
        const std::string place = "environment variable " + name;
        const std::string_view rest = std::string_view(name).substr(prefix.size());
        if (rest.find("__") == std::string_view::npos) {
            const std::string right = meant(name);
            if (!right.empty())
                problems.add(place, "", fmt::format("sets nothing; did you mean {}?", right));
            continue;
        }
        const auto names = split(rest);
        if (std::any_of(names.begin(), names.end(),
                        [](const auto &part) { return part.empty(); })) {
            problems.add(place, "",
                         "names no key; two underscores stand between the parts of a key");
            continue;
        }
        put(root, names, text, place);
        ++count;
    }
    return count;
}

} // namespace pgat::config
