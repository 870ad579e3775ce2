#include "http/answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgat::http {

namespace {

constexpr std::size_t excerpt_size = 200;

// Answers about this event or its state over there, though not for good.
constexpr std::array about_the_event{400L, 409L, 413L, 414L, 422L, 423L,
                                     424L, 425L, 431L, 451L, 500L};

constexpr std::array<std::pair<long, std::string_view>, 27> names{{
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
}};

} // namespace

Meaning meaning_of(long status, const std::vector<long> &rejected) {
    if (status >= 200 && status < 300) return Meaning::delivered;
    if (std::find(rejected.begin(), rejected.end(), status) != rejected.end())
        return Meaning::rejected;
    if (std::find(about_the_event.begin(), about_the_event.end(), status) != about_the_event.end())
        return Meaning::retry;
    return Meaning::unavailable;
}

std::string status_text(long status) {
    const auto *const found = std::find_if(names.begin(), names.end(),
                                           [&](const auto &name) { return name.first == status; });
    std::string text = std::to_string(status);
    if (found != names.end()) text.append(" ").append(found->second);
    return text;
}

std::string excerpt(std::string_view body, const std::vector<std::string> &secrets) {
    std::string text(body);
    for (const std::string &secret : secrets) {
        for (std::size_t at = text.find(secret); at != std::string::npos;
             at = text.find(secret, at))
            text.replace(at, secret.size(), "***");
    }
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    text.erase(0, begin == std::string::npos ? text.size() : begin);
    if (text.size() > excerpt_size) {
        std::size_t cut = excerpt_size;
        while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
            --cut;
        text.resize(cut); // a whole number of characters
        text += "…";
    }
    for (char &c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

} // namespace pgat::http
