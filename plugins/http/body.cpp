#include "http/body.hpp"

#include <algorithm>

#include "http/cloudevent.hpp"

namespace pgat::http {

using plugin::Batch;
using plugin::Event;
using plugin::Host;

namespace {

std::optional<std::string> append_event(const Host &host, const Settings &settings,
                                        const Event &event, std::string &out) {
    if (settings.format == Format::cloudevents)
        return append_cloudevent(host, settings, event, out);
    out += event.payload();
    return std::nullopt;
}

// Line breaks in JSON can only be white space between its parts; in ndjson they would end the line.
void join_lines(std::string &text, std::size_t from) {
    std::replace_if(
        text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

} // namespace

std::string_view compose(const Host &host, const Settings &settings, const Batch &batch,
                         std::vector<std::uint32_t> &events, std::string &buffer,
                         std::vector<std::pair<std::uint32_t, std::string>> &refused) {
    if (settings.mode == Mode::event && settings.format == Format::payload)
        return batch[events.front()].payload();

    buffer.clear();
    if (settings.mode == Mode::array) buffer += '[';
    std::size_t written = 0;
    for (const std::uint32_t index : events) {
        const std::size_t before = buffer.size();
        if (settings.mode == Mode::array && written > 0) buffer += ',';
        const std::size_t begin = buffer.size();
        if (auto why = append_event(host, settings, batch[index], buffer)) {
            buffer.resize(before);
            refused.emplace_back(index, std::move(*why));
            continue;
        }
        if (settings.mode == Mode::ndjson) {
            join_lines(buffer, begin);
            buffer += '\n';
        }
        events[written++] = index;
    }
    events.resize(written);
    if (settings.mode == Mode::array) buffer += ']';
    return buffer;
}

} // namespace pgat::http
