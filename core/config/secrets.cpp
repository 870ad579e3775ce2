#include "config/secrets.hpp"

#include <array>
#include <system_error>

#include <fmt/format.h>

#include "config/problems.hpp"
#include "config/text_file.hpp"

namespace pgat::config {

bool is_secret(std::string_view key) {
    constexpr std::array<std::string_view, 8> words = {
        "api_key", "credentials", "passphrase", "password", "secret", "token", "uri", "url"};
    for (const std::string_view word : words) {
        if (!key.ends_with(word)) continue;
        const auto before = key.size() - word.size();
        if (before == 0 || key[before - 1] == '_' || key[before - 1] == '.') return true;
    }
    return false;
}

std::string secret_of_file_key(std::string_view key) {
    constexpr std::string_view suffix = "_file";
    if (!key.ends_with(suffix)) return {};
    const auto base = key.substr(0, key.size() - suffix.size());
    return is_secret(base) ? std::string(base) : std::string();
}

std::string read_secret(const std::string &path) {
    std::string text;
    try {
        text = read_text_file(path);
    } catch (const std::system_error &error) {
        throw BadValue(fmt::format("cannot read {}: {}", path, error.code().message()));
    }
    text.erase(text.find_last_not_of("\r\n") + 1);
    if (text.empty()) throw BadValue(fmt::format("{} is empty", path));
    return text;
}

} // namespace pgat::config
