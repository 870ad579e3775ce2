// The JSON Schema of the rabbitmq sink's configuration. README.md explains the options.
#pragma once

#include <string_view>

namespace pgat::rabbitmq {

inline constexpr std::string_view schema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["routing_key"],
  "properties": {
    "uri": {
      "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
      ],
      "description": "amqp[s]://user:password@host:port,host:port/vhost; hosts are tried in turn"
    },
    "hosts": {
      "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
      "description": "host or host:port of each broker, instead of a uri"
    },
    "username": {"type": "string", "default": "guest"},
    "password": {"type": "string", "default": "guest"},
    "vhost": {"type": "string", "minLength": 1, "maxLength": 255, "default": "/"},
    "sasl": {
      "type": "string", "enum": ["plain", "external"], "default": "plain",
      "description": "external: the client certificate says who we are"
    },
    "tls": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "enabled": {"type": "boolean", "default": false},
        "ca_file": {"type": "string", "minLength": 1},
        "cert_file": {"type": "string", "minLength": 1},
        "key_file": {"type": "string", "minLength": 1},
        "verify": {"type": "boolean", "default": true},
        "server_name": {"type": "string", "minLength": 1}
      }
    },
    "connection_name": {
      "type": "string", "minLength": 1, "maxLength": 255,
      "description": "What the broker's lists of connections show"
    },
    "exchange": {
      "type": "string", "maxLength": 1000, "default": "",
      "description": "Placeholders allowed; empty is the default exchange, where the key is a queue"
    },
    "exchange_default": {"type": "string", "minLength": 1, "maxLength": 255},
    "routing_key": {
      "type": "string", "maxLength": 1000,
      "description": "Placeholders allowed"
    },
    "routing_key_default": {"type": "string", "maxLength": 255},
    "headers": {
      "type": "object",
      "additionalProperties": {"type": ["string", "integer", "boolean"]},
      "description": "Placeholders allowed in the strings"
    },
    "missing_headers": {"type": "string", "enum": ["reject", "omit"], "default": "reject"},
    "properties": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "content_type": {"type": "string", "maxLength": 255, "default": "application/json"},
        "content_encoding": {"type": "string", "maxLength": 255},
        "type": {"type": "string", "maxLength": 1000},
        "app_id": {"type": "string", "maxLength": 255, "default": "postgres-async-triggers"},
        "correlation_id": {"type": "string", "maxLength": 1000},
        "reply_to": {"type": "string", "maxLength": 255},
        "priority": {"type": "integer", "minimum": 0, "maximum": 255},
        "expiration_ms": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "persistent": {"type": "boolean", "default": true}
      }
    },
    "mandatory": {"type": "boolean", "default": true},
    "on_unroutable": {"type": "string", "enum": ["retry", "reject"], "default": "retry"},
    "confirm_window": {
      "type": "integer", "minimum": 1, "maximum": 65535, "default": 1000,
      "description": "Most messages that wait for the broker's confirm"
    },
    "strict_order": {
      "type": "boolean", "default": false,
      "description": "Sends an event only when those it comes after are confirmed"
    },
    "connect_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 600000, "default": 5000,
      "description": "Connecting to one host, with TLS and login"
    },
    "confirm_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 3600000, "default": 30000,
      "description": "Longest wait for the next confirm"
    },
    "blocked_timeout_ms": {
      "type": "integer", "minimum": 0, "maximum": 3600000, "default": 10000,
      "description": "How long a broker may block us before it counts as unavailable"
    },
    "heartbeat_secs": {"type": "integer", "minimum": 0, "maximum": 3600, "default": 30},
    "declare": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "exchange": {
          "type": "object", "additionalProperties": false, "required": ["type"],
          "properties": {
            "type": {"type": "string", "minLength": 1, "maxLength": 255},
            "durable": {"type": "boolean", "default": true},
            "arguments": {
              "type": "object",
              "additionalProperties": {"type": ["string", "integer", "boolean"]}
            }
          }
        },
        "queues": {
          "type": "array", "minItems": 1,
          "items": {
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
              "name": {"type": "string", "minLength": 1, "maxLength": 255},
              "type": {"type": "string", "enum": ["classic", "quorum", "stream"]},
              "durable": {"type": "boolean", "default": true},
              "routing_keys": {
                "type": "array", "items": {"type": "string", "maxLength": 255}
              },
              "arguments": {
                "type": "object",
                "additionalProperties": {"type": ["string", "integer", "boolean"]}
              }
            }
          }
        }
      },
      "description": "Made when connecting, where they are missing"
    }
  }
})json";

} // namespace pgat::rabbitmq
