// One GET of a page on 127.0.0.1, and a value out of one.
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

// The value of async_triggers_<name> for the stream, as the endpoint there says it; "": it is not there.
std::string metric(int port, const std::string &name, std::int64_t stream);

} // namespace pgat::support
