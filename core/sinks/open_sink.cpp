#include "sinks/open_sink.hpp"

#include "sinks/plugin_search.hpp"

namespace pgat::sinks {

const Plugin &configured_plugin(const config::Config &config) {
    return load_plugin(config.sink.type, plugin_directories(config.plugins.directories));
}

std::unique_ptr<PluginSink> open_sink(const Plugin &plugin, const config::Config &config,
                                      Metrics &metrics, CallWatch &watch) {
    return std::make_unique<PluginSink>(plugin, config.sink.settings, metrics, config.sink.places,
                                        &watch);
}

} // namespace pgat::sinks
