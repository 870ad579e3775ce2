// The JSON Schema of the http sink's configuration: what settings.cpp may take for granted.
#pragma once

#include <string_view>

namespace pgat::http {

inline constexpr std::string_view schema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["url"],
  "properties": {
    "url": {
      "type": "string", "minLength": 1,
      "description": "Where to send events; placeholders in its path and query"
    },
    "method": {"type": "string", "enum": ["POST", "PUT", "PATCH"], "default": "POST"},
    "headers": {
      "type": "object", "additionalProperties": {"type": "string"},
      "description": "Headers to send along; placeholders in their values"
    },
    "timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 3600000, "default": 15000,
      "description": "How long one request may take, from connecting to the end of the answer"
    },
    "tls": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "ca_file": {"type": "string", "minLength": 1},
        "cert_file": {"type": "string", "minLength": 1},
        "key_file": {"type": "string", "minLength": 1},
        "verify": {"type": "boolean", "default": true}
      }
    },
    "mode": {
      "type": "string", "enum": ["event", "array", "ndjson"], "default": "event",
      "description": "One request an event, or many events in one as a JSON array or as lines"
    },
    "format": {"type": "string", "enum": ["payload", "cloudevents"], "default": "payload"},
    "cloudevents": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1}
      },
      "description": "The attributes of the same name; placeholders allowed"
    },
    "concurrency": {
      "type": "integer", "minimum": 1, "maximum": 1000,
      "description": "Most requests in flight; events of one key go one after the other"
    },
    "compression": {"type": "string", "enum": ["none", "gzip"], "default": "none"},
    "signing_secret": {
      "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
      ],
      "description": "Signs each request as Standard Webhooks has it; several while rotating"
    },
    "rejected_statuses": {
      "type": "array", "items": {"type": "integer", "minimum": 300, "maximum": 599},
      "default": [400, 413, 422],
      "description": "Answers that say the event can never be taken"
    }
  }
})json";

} // namespace pgat::http
