#include "daemon/status/page.hpp"

namespace pgat::daemon {

namespace {

constexpr std::string_view place = "{{nonce}}";

} // namespace

std::string page_html(std::string_view nonce) {
    const std::string_view page = embedded_page();
    std::string html;
    html.reserve(page.size() + 2 * nonce.size());
    std::size_t begin = 0;
    for (auto at = page.find(place); at != page.npos; at = page.find(place, begin)) {
        html += page.substr(begin, at - begin);
        html += nonce;
        begin = at + place.size();
    }
    return html += page.substr(begin);
}

} // namespace pgat::daemon
