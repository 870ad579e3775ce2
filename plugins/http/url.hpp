// What the sink must know of its URL beyond its text: whom to connect to, and that no event can lead it
// anywhere else.
#pragma once

#include <string>
#include <string_view>

#include "pgat/template.hpp"

namespace pgat::http {

struct Origin {
    std::string url;  // scheme://host:port, without user and password
    std::string host; // host:port
    bool https;
};

// The origin that all URLs of the template share. Throws Failure(PGAT_E_CONFIG), never showing the URL
// itself: its path or user may be a secret.
Origin read_origin(const plugin::Template &url);

// Whether the path has a segment "." or "..", by which an event's value would reach another path.
bool has_dot_segment(std::string_view url) noexcept;

} // namespace pgat::http
