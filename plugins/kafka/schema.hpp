// The JSON Schema of the kafka sink's configuration: what settings.cpp may take for granted.
#pragma once

#include <string_view>

namespace pgat::kafka {

inline constexpr std::string_view schema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["brokers", "topic"],
  "properties": {
    "brokers": {
      "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
      ],
      "description": "Some brokers to start from, host:port; the others are learned from them"
    },
    "topic": {
      "type": "string", "minLength": 1,
      "description": "The topic; placeholders allowed"
    },
    "topic_default": {
      "type": "string", "minLength": 1, "maxLength": 249,
      "description": "The topic of an event that lacks what a placeholder of topic names"
    },
    "key": {
      "type": "string",
      "description": "The message's key; placeholders allowed. Default: the event's key, see stream.group_key"
    },
    "key_default": {
      "type": "string",
      "description": "The key of an event that lacks what a placeholder of key names; empty: none"
    },
    "headers": {
      "type": "object", "additionalProperties": {"type": "string"},
      "description": "Headers to send along; placeholders in their values"
    },
    "header_default": {
      "type": "string",
      "description": "The value of a header whose placeholder the event lacks"
    },
    "id_header": {
      "type": "string", "minLength": 1, "default": "id",
      "description": "The header that carries the event's id"
    },
    "timeout_ms": {
      "type": "integer", "minimum": 1000, "maximum": 300000, "default": 15000,
      "description": "How long no event may be confirmed before the brokers count as unavailable"
    },
    "on_too_large": {
      "type": "string", "enum": ["reject", "unavailable"], "default": "reject",
      "description": "What becomes of an event that is too large for us or for its topic"
    },
    "on_unknown_topic": {
      "type": "string", "enum": ["reject", "unavailable"],
      "description": "What becomes of an event whose topic does not exist. Default: reject where topic has placeholders"
    },
    "tls": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "enabled": {"type": "boolean", "default": true},
        "ca_file": {"type": "string", "minLength": 1},
        "cert_file": {"type": "string", "minLength": 1},
        "key_file": {"type": "string", "minLength": 1},
        "key_password": {"type": "string", "minLength": 1},
        "verify": {"type": "boolean", "default": true}
      }
    },
    "sasl": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "mechanism": {
          "type": "string",
          "enum": ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"],
          "default": "PLAIN"
        },
        "username": {"type": "string", "minLength": 1},
        "password": {"type": "string", "minLength": 1}
      }
    },
    "properties": {
      "type": "object",
      "additionalProperties": {
        "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
      },
      "description": "librdkafka's own properties, as they are; they win over what the sink sets"
    }
  }
})json";

} // namespace pgat::kafka
