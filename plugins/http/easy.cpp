#include "http/easy.hpp"

namespace pgat::http {

namespace {

constexpr long expect_wait_ms = 300;

// Once a process; two sinks may come here on two threads. Never undone: a plugin is never unloaded.
void init_curl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
}

void set_tls(CURL *easy, const Tls &tls) {
    set_option(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set_option(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
    set_option(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
    if (!tls.ca_file.empty()) set_option(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.cert_file.empty()) set_option(easy, CURLOPT_SSLCERT, tls.cert_file.c_str());
    if (!tls.key_file.empty()) set_option(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
}

} // namespace

Easy make_easy(const Settings &settings, std::string_view user_agent) {
    init_curl();
    Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    CURL *const handle = easy.get();
    set_option(handle, CURLOPT_NOSIGNAL, 1L);
    set_option(handle, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    set_option(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set_option(handle, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    // Otherwise a request that ends while its host's name is looked up waits for the resolver.
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
#endif
    set_option(handle, CURLOPT_USERAGENT, std::string(user_agent).c_str());
    set_option(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
    set_option(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.timeout.count()));
    set_option(handle, CURLOPT_EXPECT_100_TIMEOUT_MS, expect_wait_ms);
    set_option(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    // Rather share an HTTP/2 connection that is being made than make another.
    if (settings.https) set_option(handle, CURLOPT_PIPEWAIT, 1L);
    set_tls(handle, settings.tls);
    return easy;
}

} // namespace pgat::http
