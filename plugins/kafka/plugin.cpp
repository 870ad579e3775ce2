// What the .so of the kafka sink exports.
#include "kafka/kafka_sink.hpp"
#include "kafka/schema.hpp"
#include "pgat/sink.hpp"

PGAT_EXPORT_SINK(pgat::kafka::KafkaSink, .type = "kafka", .version = PGAT_SINK_VERSION,
                 .description = "produces events to Kafka topics", .license = "MIT",
                 .config_schema = pgat::kafka::schema)
