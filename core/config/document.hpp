// A configuration file as a tree that remembers where each value was written. Knows YAML, and nothing of
// our keys.
#pragma once

#include <string>
#include <vector>

#include "config/problems.hpp"

namespace pgat::config {

struct Node {
    enum class Kind { null, scalar, list, map };

    std::string key;   // its name, if it stands in a map
    std::string place; // "config.yaml:12" or "environment variable NAME"
    Kind kind = Kind::null;
    std::string text;         // of a scalar, as the program takes it
    std::string written;      // of a scalar, as the operator wrote it; variables not replaced
    bool quoted = false;      // a string for sure, whatever it looks like
    bool literal = false;     // "${" and "$$" mean themselves
    bool unusable = false;    // a problem is recorded already; say nothing further
    std::vector<Node> values; // of a list or map, in the order written

    Node *find(const std::string &name);
    const Node *find(const std::string &name) const;
    // "a string", "a list", … for messages
    const char *kind_name() const noexcept;
};

// What the file is, for who gave another.
struct DocumentWords {
    std::string name = "the configuration file";
    std::string if_unreadable = "name the file with --config FILE or in ASYNC_TRIGGERS_CONFIG, and "
                                "let this user read it";
    std::string if_no_map = "write 'key: value' lines; config.example.yaml shows every key";
};

// Reads a YAML file of one document. Throws Error (Remedy::configure) for a file that cannot be read or is
// not YAML; records duplicate keys.
Node read_document(const std::string &file, Problems &problems, const DocumentWords &words = {});

} // namespace pgat::config
