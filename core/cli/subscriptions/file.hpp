// A file of subscriptions:
//
//   subscriptions:
//     - key: user-signup
//       operation: INSERT
//       schema_name: public
//       table_name: users
//       when_clause: new.email_verified
//       column_names: [id, email]
//       metadata: {topic: signups}
//       payload_extensions:
//         - {json_path: queue_name, expression: "'signups'"}
//
// The keys are the columns of async_triggers.subscriptions. Dollars mean themselves: this is SQL.
#pragma once

#include <string>
#include <vector>

#include "base/identifiers.hpp"

namespace pgat::cli::subscriptions {

struct Declared {
    std::string key;
    std::string place; // "subscriptions.yaml:12"
    std::string json;  // an object with the columns as keys; numbers as they were written
};

// Throws Error (configure) that names all mistakes with file, line and key. `stream` is whose they are to be: a file may
// name its stream (stream_id), and is refused for another.
std::vector<Declared> read_file(const std::string &file, StreamId stream);

// For set_subscriptions_json.
std::string to_json_array(const std::vector<Declared> &subscriptions);

} // namespace pgat::cli::subscriptions
