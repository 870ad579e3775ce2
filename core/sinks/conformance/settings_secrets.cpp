#include "sinks/conformance/settings_secrets.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "config/secrets.hpp"

namespace pgat::conformance {
namespace {

using nlohmann::json;

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned char byte = 0;
        const char *const digits = text.data() + at + 1;
        if (text[at] == '%' && at + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            decoded += static_cast<char>(byte);
            at += 2;
        } else {
            decoded += text[at];
        }
    }
    return decoded;
}

// Of a URL its password, its query and what in it is named like a secret, of anything else all.
std::vector<std::string> secret_parts(const std::string &value) {
    const auto scheme = value.find("://");
    if (scheme == value.npos) return {value};
    std::vector<std::string> parts;
    const auto add = [&](const std::string &part) {
        parts.push_back(part);
        parts.push_back(percent_decoded(part));
    };
    const std::string authority =
        value.substr(scheme + 3, value.find_first_of("/?#", scheme + 3) - scheme - 3);
    const auto at = authority.rfind('@');
    const auto colon = authority.find(':');
    if (at != authority.npos && colon < at) add(authority.substr(colon + 1, at - colon - 1));
    const auto query = value.find('?');
    if (query == value.npos) return parts;
    add(value.substr(query + 1));
    for (std::size_t begin = query; begin != value.npos;) {
        const auto end = value.find_first_of("&;#", begin + 1);
        const std::string pair = value.substr(begin + 1, end - begin - 1);
        const auto equals = pair.find('=');
        if (equals != pair.npos && config::is_secret(pair.substr(0, equals)))
            add(pair.substr(equals + 1));
        begin = end;
    }
    return parts;
}

void collect(const json &value, bool secret, std::size_t least, std::set<std::string> &secrets) {
    if (value.is_string() && secret)
        for (std::string &part : secret_parts(value.get<std::string>()))
            if (part.size() >= least) secrets.insert(std::move(part));
    if (!value.is_structured()) return;
    for (const auto &[key, inner] : value.items())
        collect(inner, secret || (value.is_object() && config::is_secret(key)), least, secrets);
}

} // namespace

std::set<std::string> secrets_of(const json &settings, std::size_t least) {
    std::set<std::string> secrets;
    collect(settings, false, least, secrets);
    return secrets;
}

std::string masked(std::string text, const std::set<std::string> &secrets) {
    constexpr std::string_view mask = "***";
    // One that holds another goes first.
    std::vector<std::string_view> longest(secrets.begin(), secrets.end());
    std::sort(longest.begin(), longest.end(),
              [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
    for (const std::string_view secret : longest)
        for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + mask.size()))
            text.replace(at, secret.size(), mask);
    return text;
}

} // namespace pgat::conformance
