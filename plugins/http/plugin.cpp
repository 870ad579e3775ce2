// What the .so of the http sink exports.
#include "http/http_sink.hpp"
#include "http/schema.hpp"
#include "pgat/sink.hpp"

PGAT_EXPORT_SINK(pgat::http::HttpSink, .type = "http", .version = PGAT_SINK_VERSION,
                 .description = "sends events to an HTTP endpoint as webhooks", .license = "MIT",
                 .config_schema = pgat::http::schema)
