#include "kafka/message.hpp"

#include "kafka/topic_name.hpp"

namespace pgat::kafka {

namespace {

using plugin::Event;
using plugin::Host;
using plugin::Template;

// The text for `event`, or the default where it lacks a value. Returns why there is neither.
std::optional<std::string> fill_in(const Template &text,
                                   const std::optional<std::string> &otherwise,
                                   std::string_view option, const Host &host, const Event &event,
                                   std::string &out) {
    out.clear();
    auto why = text.render(host, event, Template::Encoding::raw, out);
    if (!why) return std::nullopt;
    if (!otherwise) return std::string(option) + ": " + *why;
    out = *otherwise;
    return std::nullopt;
}

} // namespace

Routes::Routes(const Host &host, const Settings &settings, std::uint32_t events)
    : host_(host), settings_(settings), routes_(events) {
    if (!settings.topic.constant() || settings.key) texts_.resize(events);
}

const Route &Routes::of(std::uint32_t index, const Event &event) {
    std::optional<Route> &route = routes_[index];
    if (!route) {
        route.emplace();
        if (texts_.empty()) {
            route->topic = settings_.topic.prefix();
            if (!event.key().empty()) route->key = event.key();
        } else {
            work_out(*route, texts_[index], event);
        }
    }
    return *route;
}

void Routes::work_out(Route &route, Rendered &text, const Event &event) const {
    if (auto why =
            fill_in(settings_.topic, settings_.topic_default, "topic", host_, event, text.topic)) {
        route.refusal = std::move(*why);
        return;
    }
    if (!is_topic_name(text.topic)) {
        route.refusal = "topic: \"" + text.topic.substr(0, 249) + "\" cannot be a topic";
        return;
    }
    route.topic = text.topic;
    if (!settings_.key) {
        if (!event.key().empty()) route.key = event.key();
        return;
    }
    if (auto why = fill_in(*settings_.key, settings_.key_default, "key", host_, event, text.key)) {
        route.refusal = std::move(*why);
        return;
    }
    if (!text.key.empty()) route.key = text.key;
}

Headers::Headers(const Host &host, const Settings &settings)
    : host_(host), settings_(settings), values_(settings.headers.size()) {
    list_.emplace_back(settings.id_header, std::string_view());
    for (const Header &header : settings.headers)
        list_.emplace_back(header.name,
                           header.value.constant() ? header.value.prefix() : std::string_view());
}

std::optional<std::string> Headers::fill(const Event &event) {
    list_.front().second = event.id();
    for (std::size_t i = 0; i < values_.size(); ++i) {
        const Header &header = settings_.headers[i];
        if (header.value.constant()) continue;
        if (auto why = fill_in(header.value, settings_.header_default, "headers." + header.name,
                               host_, event, values_[i]))
            return why;
        if (plugin::has_control_character(values_[i]))
            return "headers." + header.name + " would hold a control character";
        list_[i + 1].second = values_[i];
    }
    return std::nullopt;
}

} // namespace pgat::kafka
