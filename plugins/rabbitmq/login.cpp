// The first words of a connection: who we are, which limits hold, which vhost.
#include <algorithm>
#include <array>

#include "rabbitmq/link.hpp"
#include "rabbitmq/refusal.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;

constexpr std::uint16_t channels = 1;
constexpr std::uint32_t most_frame = 131072;

amqp_table_entry_t text_entry(const char *name, std::string_view text) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = to_amqp(text);
    return entry;
}

amqp_table_entry_t able_to(const char *name) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

std::string property(const amqp_table_t &table, std::string_view name) {
    for (int i = 0; i < table.num_entries; ++i)
        if (to_view(table.entries[i].key) == name &&
            table.entries[i].value.kind == AMQP_FIELD_KIND_UTF8)
            return one_line(to_view(table.entries[i].value.value.bytes));
    return {};
}

// Is it one of the words, which blanks part?
bool offers(std::string_view words, std::string_view one) {
    while (!words.empty()) {
        const std::size_t end = words.find(' ');
        if (words.substr(0, end) == one) return true;
        words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    }
    return false;
}

} // namespace

void Link::log_in(const Broker &broker, const Settings &settings, std::string_view version,
                  const Patience &patience, TimePoint until) {
    const auto ignore = [](const amqp_frame_t &) {};
    using namespace std::string_view_literals;
    out_ += "AMQP\0\0\x09\x01"sv;
    amqp_frame_t frame = await(AMQP_CONNECTION_START_METHOD, patience, until, ignore);
    start(*static_cast<const amqp_connection_start_t *>(frame.payload.method.decoded), broker,
          settings, version);
    try {
        frame = await(AMQP_CONNECTION_TUNE_METHOD, patience, until, ignore);
    } catch (const ConnectionLost &lost) {
        if (lost.code() != 0) throw;
        throw ConnectionLost("the broker ended the login of user \"" + broker.username +
                             "\": " + lost.what());
    }
    tune(*static_cast<const amqp_connection_tune_t *>(frame.payload.method.decoded), settings);
    amqp_connection_open_t open{};
    open.virtual_host = to_amqp(broker.vhost);
    if (!writer_.method(out_, 0, AMQP_CONNECTION_OPEN_METHOD, &open))
        throw ConnectionLost("vhost is longer than AMQP allows");
    await(AMQP_CONNECTION_OPEN_OK_METHOD, patience, until, ignore);
}

void Link::start(const amqp_connection_start_t &offer, const Broker &broker,
                 const Settings &settings, std::string_view version) {
    server_ = property(offer.server_properties, "product") + " " +
              property(offer.server_properties, "version");
    const std::string_view mechanism = settings.sasl_external ? "EXTERNAL" : "PLAIN";
    if (!offers(to_view(offer.mechanisms), mechanism))
        throw ConnectionLost("the broker takes logins by " + one_line(to_view(offer.mechanisms)) +
                             ", not by " + std::string(mechanism) +
                             (settings.sasl_external
                                  ? ": enable its plugin rabbitmq_auth_mechanism_ssl"
                                  : ": enable PLAIN in its auth_mechanisms, or set sasl"));
    std::array abilities{able_to("authentication_failure_close"), able_to("basic.nack"),
                         able_to("connection.blocked"), able_to("publisher_confirms"),
                         able_to("exchange_exchange_bindings")};
    const std::size_t slash = version.find('/');
    std::array about{text_entry("product", "postgres-async-triggers"),
                     text_entry("version", slash == std::string_view::npos
                                               ? version
                                               : version.substr(slash + 1)),
                     text_entry("platform", "C++20, rabbitmq-c"),
                     text_entry("connection_name", settings.connection_name), amqp_table_entry_t{}};
    about.back().key = amqp_cstring_bytes("capabilities");
    about.back().value.kind = AMQP_FIELD_KIND_TABLE;
    about.back().value.value.table = {static_cast<int>(abilities.size()), abilities.data()};

    std::string secret;
    if (!settings.sasl_external) {
        secret += '\0';
        secret += broker.username;
        secret += '\0';
        secret += broker.password;
    }
    amqp_connection_start_ok_t answer{};
    answer.client_properties = {static_cast<int>(about.size()), about.data()};
    answer.mechanism = to_amqp(mechanism);
    answer.response = to_amqp(secret);
    answer.locale = amqp_cstring_bytes("en_US");
    if (!writer_.method(out_, 0, AMQP_CONNECTION_START_OK_METHOD, &answer))
        throw ConnectionLost("username and password are longer than AMQP allows");
}

void Link::tune(const amqp_connection_tune_t &offer, const Settings &settings) {
    const std::uint32_t frame_max =
        offer.frame_max == 0 ? most_frame : std::min(offer.frame_max, most_frame);
    heartbeat_ = settings.heartbeat;
    if (offer.heartbeat != 0 && heartbeat_.count() != 0)
        heartbeat_ = std::min(heartbeat_, std::chrono::seconds(offer.heartbeat));
    const amqp_connection_tune_ok_t answer{channels, frame_max,
                                           static_cast<std::uint16_t>(heartbeat_.count())};
    reader_.tune(channels, frame_max);
    writer_.tune(frame_max);
    writer_.method(out_, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &answer);
}

} // namespace pgat::rabbitmq
