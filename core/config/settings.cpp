#include "config/settings.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "config/secrets.hpp"
#include "config/values.hpp"

namespace pgat::config {

namespace {

using nlohmann::json;

template <class Number>
bool parse_number(std::string_view text, Number &value, int base = 10) {
    const char *end = text.data() + text.size();
    std::from_chars_result result{};
    if constexpr (std::is_floating_point_v<Number>)
        result = std::from_chars(text.data(), end, value);
    else
        result = std::from_chars(text.data(), end, value, base);
    return result.ec == std::errc() && result.ptr == end;
}

// https://yaml.org/spec/1.2.2/#103-core-schema, less .inf and .nan, which JSON does not have.
json plain(std::string_view text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
        return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    std::uint64_t natural = 0;
    if (text.starts_with("0x") && parse_number(text.substr(2), natural, 16)) return natural;
    if (text.starts_with("0o") && parse_number(text.substr(2), natural, 8)) return natural;

    const std::string_view unsigned_text = text.starts_with('+') ? text.substr(1) : text;
    // from_chars takes "inf" and "nan" for numbers, and "+-1" would pass the line above.
    if (unsigned_text.find_first_not_of("0123456789+-.eE") != std::string_view::npos ||
        unsigned_text.starts_with('+') || (text.starts_with('+') && unsigned_text.starts_with('-')))
        return text;
    std::int64_t whole = 0;
    if (parse_number(unsigned_text, whole)) return whole;
    if (parse_number(unsigned_text, natural)) return natural;
    double real = 0;
    if (parse_number(unsigned_text, real) && std::isfinite(real)) return real;
    return text;
}

// The secret that a file holds, or the list of them that a list of files holds.
json from_files(const Node &node) {
    if (node.kind == Node::Kind::scalar) return read_secret(node.text);
    json list = json::array();
    for (const std::string &file : strings(node))
        list.push_back(read_secret(file));
    return list;
}

class Reader {
  public:
    Reader(Places &places, Problems &problems) : places_(places), problems_(problems) {}

    json map(const Node &node, const std::string &path) {
        json object = json::object();
        for (const Node &member : node.values) {
            const std::string secret = secret_of_file_key(member.key);
            const std::string &key = secret.empty() ? member.key : secret;
            places_[path + "." + key] = member.place;
            if (member.unusable) continue;
            if (secret.empty())
                object[key] = value(member, path + "." + key, is_secret(key));
            else if (member.kind != Node::Kind::null)
                read_files(object, node, member, path);
        }
        return object;
    }

  private:
    json value(const Node &node, const std::string &path, bool secret) {
        switch (node.kind) {
        case Node::Kind::null:
            return nullptr;
        case Node::Kind::scalar:
            return node.quoted || secret ? json(node.text) : plain(node.text);
        case Node::Kind::map:
            return map(node, path);
        case Node::Kind::list:
            break;
        }
        json list = json::array();
        for (const Node &item : node.values)
            list.push_back(value(item, path, secret));
        return list;
    }

    // `member` of `node` names files of a secret: the secret stands in `object` then.
    void read_files(json &object, const Node &node, const Node &member, const std::string &path) {
        const std::string full = path + "." + member.key;
        const std::string secret = secret_of_file_key(member.key);
        if (const Node *other = node.find(secret)) {
            problems_.add(
                member.place, full,
                fmt::format("and {}.{} ({}) are both set; remove one", path, secret, other->place));
            return;
        }
        try {
            object[secret] = from_files(member);
        } catch (const BadValue &bad) {
            problems_.add(member.place, full, bad.what());
        }
    }

    Places &places_;
    Problems &problems_;
};

} // namespace

json settings(const Node &node, const std::string &path, Places &places, Problems &problems) {
    places[path] = node.place;
    return Reader(places, problems).map(node, path);
}

} // namespace pgat::config
