#include "kafka/properties.hpp"

#include <array>
#include <string>

namespace pgat::kafka {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::Json;

struct Pair {
    std::string_view first;
    std::string_view second;
};

constexpr std::array<Pair, 8> aliases{{
    {"metadata.broker.list", "bootstrap.servers"},
    {"request.required.acks", "acks"},
    {"message.send.max.retries", "retries"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"delivery.timeout.ms", "message.timeout.ms"},
    {"queue.buffering.max.ms", "linger.ms"},
    {"sasl.mechanism", "sasl.mechanisms"},
    {"compression.type", "compression.codec"},
}};

// What the sink could not work with, and what to do instead.
constexpr std::array<Pair, 10> refused{{
    {"bootstrap.servers", "write the option brokers"},
    {"message.timeout.ms", "a message that expires lets later ones overtake it; timeout_ms says "
                           "when the brokers count as "
                           "unavailable"},
    {"retries",
     "a message that runs out of retries lets later ones overtake it; timeout_ms says when the "
     "brokers count as unavailable"},
    {"transactional.id", "the sink produces without transactions"},
    {"delivery.report.only.error", "the sink needs to hear of what was delivered"},
    {"queuing.strategy", "messages must stay in order"},
    {"enable.gapless.guarantee", "the sink sets it with enable.idempotence"},
    {"internal.termination.signal", "signals belong to the daemon"},
    {"plugin.library.paths", "the sink loads no further libraries"},
    {"log.queue", "the sink logs by itself"},
}};

std::string_view canonical(std::string_view name) noexcept {
    for (const Pair &alias : aliases)
        if (alias.first == name) return alias.second;
    return name;
}

bool is_false(std::string_view value) noexcept {
    return value == "false" || value == "0" || value == "f";
}

// What follows from the whole of the properties.
void weigh(Settings &settings) {
    Properties &all = settings.properties;
    auto &warnings = settings.warnings;
    const std::string acks(value_of(all, "acks"));
    const bool idempotent = !is_false(value_of(all, "enable.idempotence"));
    const bool all_replicas = acks == "all" || acks == "-1";
    if (acks == "0")
        throw Failure(PGAT_E_CONFIG,
                      "properties.acks: with 0 nothing confirms an event, and events would be lost "
                      "unseen: write all, or 1");
    if (!all_replicas && idempotent)
        throw Failure(PGAT_E_CONFIG,
                      "properties.acks: " + acks +
                          " is only possible with enable.idempotence: false, which gives up order "
                          "and freedom from duplicates too: write all");
    if (!all_replicas)
        warnings.emplace_back("properties.acks is " + acks +
                              ": a confirmed event is lost if its broker dies before the replicas "
                              "have it");
    if (!idempotent) {
        all.emplace_back("enable.gapless.guarantee", "false");
        if (value_of(all, "max.in.flight.requests.per.connection").empty())
            all.emplace_back("max.in.flight.requests.per.connection", "1");
        warnings.emplace_back(
            "properties.enable.idempotence is false: what is sent again after a "
            "broken connection arrives twice, and behind a refused event later ones "
            "of its key may go ahead");
    }
    const std::string_view partitioner = value_of(all, "partitioner");
    settings.partitioner = Partitioner(partitioner);
    if (partitioner == "random")
        warnings.emplace_back("properties.partitioner is random: events of one key go to several "
                              "partitions, where Kafka keeps no order among them");
}

} // namespace

std::string_view value_of(const Properties &properties, std::string_view name) noexcept {
    for (auto at = properties.rbegin(); at != properties.rend(); ++at)
        if (canonical(at->first) == name) return at->second;
    return {};
}

void add_user_properties(const Host &host, std::string_view config, Settings &settings) {
    Properties given;
    host.each(config, "/properties",
              [&](std::string_view name, Json value) { given.emplace_back(name, value.text); });
    for (auto &[name, value] : given) {
        for (const Pair &one : refused)
            if (canonical(name) == one.first)
                throw Failure(PGAT_E_CONFIG,
                              "properties." + name + " cannot be set: " + std::string(one.second));
        settings.properties.emplace_back(std::move(name), std::move(value));
    }
    weigh(settings);
}

} // namespace pgat::kafka
