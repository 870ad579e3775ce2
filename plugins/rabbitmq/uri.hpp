// AMQP URIs: amqp[s]://user:password@host:port,host:port/vhost, percent-encoded where they must be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rabbitmq/settings.hpp"

namespace pgat::rabbitmq {

// A broker for each host of the URI; an empty vhost is "/". Throws Failure(PGAT_E_CONFIG), never showing the
// URI itself, which holds a password.
std::vector<Broker> read_uri(std::string_view uri);

// "host", "host:port" or "[address]:port" into `broker`; a missing port is 5672, or 5671 with TLS. Throws the
// same, naming `where`.
void read_host(std::string_view text, std::string_view where, Broker &broker);

} // namespace pgat::rabbitmq
