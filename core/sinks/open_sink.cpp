#include "sinks/open_sink.hpp"

#include "sinks/plugin_search.hpp"

namespace pgat::sinks {

const Plugin &configured_plugin(const config::Config &config) {
    return load_plugin(config.sink.type, plugin_directories(config.plugins.directories));
}

std::unique_ptr<PluginSink> open_sink(const Plugin &plugin, const config::Config &config,
                                      Counters &counters) {
    return std::make_unique<PluginSink>(plugin, config.sink.settings, counters, config.sink.places);
}

} // namespace pgat::sinks
