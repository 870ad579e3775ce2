#include "http/cloudevent.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace pgat::http {

namespace {

using plugin::Event;
using plugin::Host;
using plugin::Template;

// async_triggers.insert, …update, …delete for the triggers' own payloads; else async_triggers.event.
std::string default_type(std::string_view operation) {
    if (operation == "INSERT") return "async_triggers.insert";
    if (operation == "UPDATE") return "async_triggers.update";
    if (operation == "DELETE") return "async_triggers.delete";
    return "async_triggers.event";
}

void append_member(std::string &out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, value);
}

std::optional<std::string> render(const std::optional<Template> &text, const Host &host,
                                  const Event &event, std::string &value) {
    if (!text) return std::nullopt;
    value.clear();
    return text->render(host, event, Template::Encoding::raw, value);
}

} // namespace

void append_json_string(std::string &out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += hex[byte >> 4U];
            out += hex[byte & 0xFU];
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string rfc3339(std::int64_t microseconds) {
    std::int64_t fraction = microseconds % 1000000;
    if (fraction < 0) fraction += 1000000;
    const auto seconds = static_cast<std::time_t>((microseconds - fraction) / 1000000);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::string out(text.data(), size);
    std::snprintf(text.data(), text.size(), ".%06ldZ", static_cast<long>(fraction));
    return out + text.data();
}

std::optional<std::string> append_cloudevent(const Host &host, const Settings &settings,
                                             const Event &event, std::string &out) {
    const std::string_view payload = event.payload();
    std::string source = "/async_triggers/streams/" + std::to_string(event.stream_id());
    if (auto why = render(settings.event_source, host, event, source)) return why;
    std::string type;
    if (auto why = render(settings.event_type, host, event, type)) return why;
    if (!settings.event_type) type = default_type(host.find(payload, "/tg_op").text);

    out += R"({"specversion":"1.0")";
    append_member(out, "id", event.id());
    append_member(out, "source", source);
    append_member(out, "type", type);
    const plugin::Json schema = host.find(payload, "/tg_table_schema");
    const plugin::Json table = host.find(payload, "/tg_table_name");
    if (schema.present() && table.present())
        append_member(out, "subject", std::string(schema.text).append(".").append(table.text));
    append_member(out, "time", rfc3339(event.created_at_us()));
    if (!event.key().empty()) append_member(out, "partitionkey", event.key());
    out.append(R"(,"datacontenttype":"application/json","data":)").append(payload).append("}");
    return std::nullopt;
}

} // namespace pgat::http
