#include "support/http_get.hpp"

#include <httplib.h>

namespace pgat::support {

HttpGot http_get(int port, const std::string &path, const std::string &host) {
    httplib::Client client("127.0.0.1", port);
    httplib::Headers headers;
    if (!host.empty()) headers.emplace("Host", host);
    const auto answer = client.Get(path, headers);
    if (!answer) return {};
    return {answer->status, answer->get_header_value("Content-Type"), answer->body};
}

} // namespace pgat::support
