// One GET of a page on 127.0.0.1.
#pragma once

#include <cstdint>
#include <string>

namespace pgat::support {

struct HttpGot {
    int status = 0; // 0: nobody answered
    std::string type;
    std::string body;
};

// `host`: what the request says it came for; empty: 127.0.0.1 and the port.
HttpGot http_get(int port, const std::string &path, const std::string &host = "");

} // namespace pgat::support
