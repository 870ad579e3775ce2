// The status page, embedded when the program is built from the files in page/.
#pragma once

#include <string>
#include <string_view>

namespace pgat::daemon {

// As it is embedded, with places for a nonce. In a file that the build writes (cmake/EmbedPage.cmake).
std::string_view embedded_page() noexcept;

// The page, whose script and style bear this nonce.
std::string page_html(std::string_view nonce);

} // namespace pgat::daemon
