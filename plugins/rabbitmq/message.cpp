#include "rabbitmq/message.hpp"

#include "rabbitmq/frames.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Event;
using plugin::Template;

constexpr std::size_t longest_short_text = 255; // AMQP's shortstr

void set_value(amqp_field_value_t &value, std::string_view text) {
    value.kind = AMQP_FIELD_KIND_UTF8;
    value.value.bytes = to_amqp(text);
}
void set_value(amqp_field_value_t &value, std::int64_t number) {
    value.kind = AMQP_FIELD_KIND_I64;
    value.value.i64 = number;
}
void set_value(amqp_field_value_t &value, bool truth) {
    value.kind = AMQP_FIELD_KIND_BOOLEAN;
    value.value.boolean = truth ? 1 : 0;
}

} // namespace

amqp_table_t to_table(const Arguments &arguments, std::vector<amqp_table_entry_t> &entries) {
    entries.clear();
    for (const auto &[name, value] : arguments) {
        amqp_table_entry_t entry{};
        entry.key = to_amqp(name);
        std::visit([&](const auto &one) { set_value(entry.value, one); }, value);
        entries.push_back(entry);
    }
    return {static_cast<int>(entries.size()), entries.data()};
}

MessageWriter::MessageWriter(const Settings &settings, plugin::Host host)
    : settings_(settings), host_(host), header_texts_(settings.headers.size()) {
    const Properties &from = settings.properties;
    amqp_basic_properties_t &to = message_.properties;
    const auto set = [&](amqp_bytes_t &property, std::string_view text, amqp_flags_t flag) {
        if (text.empty()) return;
        property = to_amqp(text);
        to._flags |= flag;
    };
    set(to.content_type, from.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG);
    set(to.content_encoding, from.content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG);
    set(to.app_id, from.app_id, AMQP_BASIC_APP_ID_FLAG);
    set(to.reply_to, from.reply_to, AMQP_BASIC_REPLY_TO_FLAG);
    set(to.expiration, from.expiration, AMQP_BASIC_EXPIRATION_FLAG);
    if (from.priority) {
        to.priority = *from.priority;
        to._flags |= AMQP_BASIC_PRIORITY_FLAG;
    }
    constexpr std::uint8_t transient = 1;
    constexpr std::uint8_t persistent = 2;
    to.delivery_mode = from.persistent ? persistent : transient;
    to._flags |=
        AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
}

bool MessageWriter::fill_in(const Template &text, std::string_view option, std::size_t longest,
                            const Event &event, std::string &out, std::string &why) const {
    out.clear();
    if (const auto missing = text.render(host_, event, Template::Encoding::raw, out)) {
        why.assign(option).append(": ").append(*missing);
        return false;
    }
    if (out.size() > longest) {
        why.assign(option).append(" would have ").append(std::to_string(out.size()));
        why.append(" bytes, and AMQP allows ").append(std::to_string(longest));
        return false;
    }
    return true;
}

bool MessageWriter::route(const Route &route, std::string_view option, const Event &event,
                          std::string &text, std::string &why) const {
    if (fill_in(route.text, option, longest_short_text, event, text, why)) return true;
    // A part that is there but too long has no substitute.
    const bool too_long = text.size() > longest_short_text;
    if (!route.fallback || too_long) return false;
    text = *route.fallback;
    return true;
}

bool MessageWriter::headers(const Event &event, std::string &why) {
    header_entries_.clear();
    for (std::size_t i = 0; i < settings_.headers.size(); ++i) {
        const Header &header = settings_.headers[i];
        amqp_table_entry_t entry{};
        entry.key = to_amqp(header.name);
        if (const auto *const text = std::get_if<Template>(&header.value)) {
            std::string &rendered = header_texts_[i];
            if (!fill_in(*text, "headers." + header.name, std::string::npos, event, rendered,
                         why)) {
                if (settings_.omit_missing_headers) continue;
                return false;
            }
            if (plugin::has_control_character(rendered)) {
                why = "headers." + header.name + " would hold a control character";
                return false;
            }
            set_value(entry.value, rendered);
        } else if (const auto *const number = std::get_if<std::int64_t>(&header.value)) {
            set_value(entry.value, *number);
        } else {
            set_value(entry.value, std::get<bool>(header.value));
        }
        header_entries_.push_back(entry);
    }
    if (header_entries_.empty()) {
        message_.properties._flags &= ~static_cast<amqp_flags_t>(AMQP_BASIC_HEADERS_FLAG);
        return true;
    }
    message_.properties.headers = {static_cast<int>(header_entries_.size()),
                                   header_entries_.data()};
    message_.properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    return true;
}

const Message *MessageWriter::compose(const Event &event, std::string &why) {
    const Properties &from = settings_.properties;
    amqp_basic_properties_t &to = message_.properties;
    if (!route(settings_.exchange, "exchange", event, exchange_, why)) return nullptr;
    if (!route(settings_.routing_key, "routing_key", event, routing_key_, why)) return nullptr;
    if (from.type) {
        if (!fill_in(*from.type, "properties.type", longest_short_text, event, type_, why))
            return nullptr;
        to.type = to_amqp(type_);
        to._flags |= AMQP_BASIC_TYPE_FLAG;
    }
    if (from.correlation_id) {
        if (!fill_in(*from.correlation_id, "properties.correlation_id", longest_short_text, event,
                     correlation_id_, why))
            return nullptr;
        to.correlation_id = to_amqp(correlation_id_);
        to._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
    }
    if (!headers(event, why)) return nullptr;
    to.message_id = to_amqp(event.id());
    to.timestamp = static_cast<std::uint64_t>(event.created_at_us() / 1000000);
    message_.exchange = exchange_;
    message_.routing_key = routing_key_;
    message_.body = event.payload();
    return &message_;
}

} // namespace pgat::rabbitmq
