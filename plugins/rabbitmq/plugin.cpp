// What the .so of the rabbitmq sink exports.
#include "pgat/sink.hpp"
#include "rabbitmq/rabbitmq_sink.hpp"
#include "rabbitmq/schema.hpp"

PGAT_EXPORT_SINK(pgat::rabbitmq::RabbitmqSink, .type = "rabbitmq", .version = PGAT_SINK_VERSION,
                 .description = "publishes events to RabbitMQ with publisher confirms",
                 .license = "MIT", .config_schema = pgat::rabbitmq::schema)
