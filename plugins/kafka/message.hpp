// What an event becomes: its topic, its key and its headers. The payload goes out byte for byte as it came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::kafka {

// Where a message goes. The texts are good as long as the event and the Routes are.
struct Route {
    std::string_view topic;
    std::optional<std::string_view> key;
    std::string refusal; // why the event can never be sent; empty: it can
};

// The routes of a batch's events, worked out once each.
class Routes {
  public:
    Routes(const plugin::Host &host, const Settings &settings, std::uint32_t events);

    const Route &of(std::uint32_t index, const plugin::Event &event);

  private:
    struct Rendered {
        std::string topic;
        std::string key;
    };
    void work_out(Route &route, Rendered &text, const plugin::Event &event) const;

    plugin::Host host_;
    const Settings &settings_;
    std::vector<std::optional<Route>> routes_;
    std::vector<Rendered> texts_; // only where a template needs them
};

// The headers of one message after the other, in memory that is used again.
class Headers {
  public:
    using List = std::vector<std::pair<std::string_view, std::string_view>>;

    Headers(const plugin::Host &host, const Settings &settings);

    // Fills in list(). Returns why the event can never be sent, if so.
    std::optional<std::string> fill(const plugin::Event &event);
    const List &list() const noexcept { return list_; }

  private:
    plugin::Host host_;
    const Settings &settings_;
    std::vector<std::string> values_;
    List list_;
};

} // namespace pgat::kafka
