#include "support/http_get.hpp"

#include <sstream>

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

std::string metric(int port, const std::string &name, std::int64_t stream) {
    const auto start = "async_triggers_" + name + "{stream=\"" + std::to_string(stream) + "\"} ";
    std::istringstream page(http_get(port, "/metrics").body);
    for (std::string line; std::getline(page, line);)
        if (line.starts_with(start)) return line.substr(start.size());
    return "";
}

} // namespace pgat::support
