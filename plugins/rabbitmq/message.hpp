// An event as an AMQP message: exchange, routing key, properties, headers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <amqp.h>
#include <amqp_framing.h>

#include "pgat/sink.hpp"
#include "rabbitmq/settings.hpp"

namespace pgat::rabbitmq {

// As it is sent. Texts belong to who made it.
struct Message {
    std::string_view exchange;
    std::string_view routing_key;
    std::string_view body;
    amqp_basic_properties_t properties{};
};

// The arguments as AMQP's table; its entries live in `entries`, its texts in `arguments`.
amqp_table_t to_table(const Arguments &arguments, std::vector<amqp_table_entry_t> &entries);

// Fills in one message after the other, for as long as the settings live.
class MessageWriter {
  public:
    MessageWriter(const Settings &settings, plugin::Host host);

    // The event's message; good until the next call. On failure null, and `why` says what is wrong with the
    // event.
    const Message *compose(const plugin::Event &event, std::string &why);

    // Whether every message goes to the same exchange under the same key: then a refusal is about us.
    bool same_route_for_all() const noexcept {
        return settings_.exchange.text.constant() && settings_.routing_key.text.constant();
    }

  private:
    bool route(const Route &route, std::string_view option, const plugin::Event &event,
               std::string &text, std::string &why) const;
    bool fill_in(const plugin::Template &text, std::string_view option, std::size_t longest,
                 const plugin::Event &event, std::string &out, std::string &why) const;
    bool headers(const plugin::Event &event, std::string &why);

    const Settings &settings_;
    plugin::Host host_;
    Message message_;
    std::string exchange_;
    std::string routing_key_;
    std::string type_;
    std::string correlation_id_;
    std::vector<std::string> header_texts_;
    std::vector<amqp_table_entry_t> header_entries_;
};

} // namespace pgat::rabbitmq
