#include "http/url.hpp"

#include <memory>

#include <curl/curl.h>

namespace pgat::http {

namespace {

[[noreturn]] void refuse(const std::string &why) {
    throw plugin::Failure(PGAT_E_CONFIG, "url " + why);
}

struct UrlDeleter {
    void operator()(CURLU *url) const noexcept { curl_url_cleanup(url); }
};
struct TextDeleter {
    void operator()(char *text) const noexcept { curl_free(text); }
};

std::string part(CURLU *url, CURLUPart what) {
    char *text = nullptr;
    if (curl_url_get(url, what, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    return std::unique_ptr<char, TextDeleter>(text).get();
}

// Where the path and query begin, in the part of the URL that is the same for all events.
std::size_t end_of_authority(std::string_view prefix) {
    const std::size_t scheme = prefix.find("://");
    if (scheme == std::string_view::npos) return std::string_view::npos;
    return prefix.find_first_of("/?#", scheme + 3);
}

} // namespace

Origin read_origin(const plugin::Template &url) {
    const std::string_view prefix = url.prefix();
    if (!url.constant() && end_of_authority(prefix) == std::string_view::npos)
        refuse("has a placeholder before its path: only path and query may have any");
    for (const char c : prefix)
        if (c == ' ' || c == '#' || plugin::has_control_character({&c, 1}))
            refuse("has a space, a control character or a fragment: percent-encode it");

    const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
    if (!parsed) throw std::bad_alloc();
    const std::string text(prefix);
    if (curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
        refuse("is not a URL: write it as https://host/path");
    const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") refuse("must begin with http:// or https://");
    const std::string host =
        part(parsed.get(), CURLUPART_HOST) + ":" + part(parsed.get(), CURLUPART_PORT);
    return {scheme + "://" + host, host, scheme == "https"};
}

bool has_dot_segment(std::string_view url) noexcept {
    const std::size_t scheme = url.find("://");
    std::string_view path = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
    path = path.substr(0, path.find_first_of("?#"));
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return false;
}

} // namespace pgat::http
