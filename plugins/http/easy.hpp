// libcurl's easy handle with the options that every connection of the sink has.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <curl/curl.h>

#include "http/settings.hpp"

namespace pgat::http {

struct EasyDeleter {
    void operator()(CURL *easy) const noexcept { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

template <class Value>
void set_option(CURL *easy, CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK)
        throw plugin::Failure(PGAT_E_UNSUPPORTED, std::string("libcurl refuses an option: ") +
                                                      curl_easy_strerror(code));
}

// A handle with TLS, timeouts and protocol as `settings` has them, which it copies; no URL yet.
Easy make_easy(const Settings &settings, std::string_view user_agent);

} // namespace pgat::http
