// From the configuration to the sink that it asks for, for the daemon and for every command that delivers.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "sinks/metrics.hpp"
#include "sinks/plugin.hpp"
#include "sinks/plugin_sink.hpp"

namespace pgat::sinks {

// The plugin that sink.type names, out of the configured folders. Throws Error (configure), see
// load_plugin(). [any thread]
const Plugin &configured_plugin(const config::Config &config);

// An instance of it; throws as PluginSink does. `metrics` and `watch` outlive the sink, which is used and
// destroyed on this thread.
std::unique_ptr<PluginSink> open_sink(const Plugin &plugin, const config::Config &config,
                                      Metrics &metrics, CallWatch &watch);

} // namespace pgat::sinks
