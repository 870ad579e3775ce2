#include "cli/subscriptions/file.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/nearest.hpp"
#include "config/values.hpp"

namespace pgat::cli::subscriptions {

namespace {

using config::BadValue;
using config::Node;

const std::vector<std::string> columns = {"key",        "operation",         "schema_name",
                                          "table_name", "when_clause",       "column_names",
                                          "metadata",   "payload_extensions"};

std::string quoted(const std::string &text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// As JSON writes numbers: what of YAML looks like one otherwise (+1, 0x1F, .5) is a text.
bool is_number(const std::string &text) {
    return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9')) &&
           nlohmann::json::accept(text);
}

// By hand, for no number shall pass through a double.
std::string to_json(const Node &node) {
    std::string json;
    switch (node.kind) {
    case Node::Kind::null:
        return "null";
    case Node::Kind::scalar:
        if (node.quoted) return quoted(node.text);
        if (node.text == "true" || node.text == "false" || is_number(node.text)) return node.text;
        return quoted(node.text);
    case Node::Kind::list:
        for (const Node &value : node.values)
            json += (json.empty() ? "" : ", ") + to_json(value);
        return '[' + json + ']';
    case Node::Kind::map:
        break;
    }
    for (const Node &value : node.values)
        json += (json.empty() ? "" : ", ") + quoted(value.key) + ": " + to_json(value);
    return '{' + json + '}';
}

class Reader {
  public:
    Reader(config::Problems &problems, StreamId stream) : problems_(problems), stream_(stream) {}

    std::vector<Declared> read(const Node &root) {
        for (const Node &value : root.values) {
            if (value.key == "subscriptions")
                read_list(value);
            else if (value.key == "stream_id")
                require_stream(value);
            else
                problems_.add(
                    value.place, value.key,
                    fmt::format("unknown key; did you mean {}?",
                                config::nearest(value.key, {"subscriptions", "stream_id"})));
        }
        if (root.find("subscriptions") == nullptr)
            problems_.add(root.place, "subscriptions",
                          "is missing; an empty list ([]) removes all subscriptions of the stream");
        return std::move(declared_);
    }

  private:
    void require_stream(const Node &value) {
        try {
            const StreamId named(
                config::whole_number(value, 0, std::numeric_limits<std::int64_t>::max()));
            if (named != stream_)
                problems_.add(
                    value.place, "stream_id",
                    fmt::format("is {}, but the configuration's stream.id is {}", named, stream_));
        } catch (const BadValue &bad) {
            problems_.add(value.place, "stream_id", bad.what());
        }
    }

    void read_list(const Node &list) {
        if (list.kind != Node::Kind::list)
            return problems_.add(
                list.place, "subscriptions",
                fmt::format("must be a list of maps, each beginning with \"- key: …\", is {}; an "
                            "empty list is []",
                            list.kind_name()));
        for (std::size_t i = 0; i < list.values.size(); ++i)
            read_one(list.values[i], fmt::format("subscriptions[{}]", i));
    }

    void read_one(const Node &node, std::string path) {
        if (node.kind != Node::Kind::map)
            return problems_.add(node.place, path,
                                 fmt::format("must be a map of keys, is {}", node.kind_name()));
        Declared declared;
        declared.place = node.values.empty() ? node.place : node.values.front().place;
        if (const Node *key = node.find("key"); key != nullptr && key->kind == Node::Kind::scalar) {
            declared.key = key->text;
            path = fmt::format("subscriptions[{}]", declared.key);
        }
        for (const Node &value : node.values) {
            const std::string full = path + "." + value.key;
            if (std::find(columns.begin(), columns.end(), value.key) == columns.end()) {
                problems_.add(value.place, full,
                              fmt::format("unknown key; did you mean {}?",
                                          config::nearest(value.key, columns)));
                continue;
            }
            try {
                const std::string json = read_column(value, full);
                declared.json +=
                    (declared.json.empty() ? "" : ", ") + quoted(value.key) + ": " + json;
            } catch (const BadValue &bad) {
                problems_.add(value.place, full, bad.what());
            }
        }
        for (const auto *needed : {"key", "operation", "schema_name", "table_name"})
            if (const Node *found = node.find(needed);
                found == nullptr || found->kind == Node::Kind::null)
                problems_.add(declared.place, path + "." + needed, "is missing");
        for (const auto &other : declared_)
            if (!declared.key.empty() && other.key == declared.key)
                problems_.add(declared.place, path, "is given twice, first at " + other.place);
        declared.json = '{' + declared.json + '}';
        declared_.push_back(std::move(declared));
    }

    std::string read_column(const Node &value, const std::string &path) {
        if (value.key == "metadata") return to_json(value);
        if (value.kind == Node::Kind::null) return "null";
        if (value.key == "operation")
            return quoted(operations_.at(config::one_of(value, operations_)));
        if (value.key == "column_names") {
            std::string list;
            for (const auto &name : config::strings(value))
                list += (list.empty() ? "" : ", ") + quoted(name);
            return '[' + list + ']';
        }
        if (value.key == "payload_extensions") return read_extensions(value, path);
        return quoted(config::string(value));
    }

    std::string read_extensions(const Node &list, const std::string &path) {
        if (list.kind != Node::Kind::list)
            throw BadValue(fmt::format(
                "must be a list of maps {{json_path: …, expression: …}}, is {}", list.kind_name()));
        const std::vector<std::string> members = {"json_path", "expression"};
        for (std::size_t i = 0; i < list.values.size(); ++i) {
            const Node &extension = list.values[i];
            const std::string full = fmt::format("{}[{}]", path, i);
            if (extension.kind != Node::Kind::map) {
                problems_.add(extension.place, full,
                              fmt::format("must be a map {{json_path: …, expression: …}}, is {}",
                                          extension.kind_name()));
                continue;
            }
            for (const Node &member : extension.values)
                if (std::find(members.begin(), members.end(), member.key) == members.end())
                    problems_.add(member.place, full + "." + member.key,
                                  fmt::format("unknown key; did you mean {}?",
                                              config::nearest(member.key, members)));
            for (const auto &member : members)
                if (extension.find(member) == nullptr)
                    problems_.add(extension.place, full + "." + member, "is missing");
        }
        std::string json;
        for (const Node &extension : list.values) {
            std::string object;
            for (const Node &member : extension.values)
                // An expression of digits alone is SQL, not a number.
                object +=
                    (object.empty() ? "" : ", ") + quoted(member.key) + ": " +
                    (member.kind == Node::Kind::scalar ? quoted(member.text) : to_json(member));
            json += (json.empty() ? "" : ", ") + ('{' + object + '}');
        }
        return '[' + json + ']';
    }

    const std::vector<std::string> operations_ = {"INSERT", "UPDATE", "DELETE"};
    config::Problems &problems_;
    const StreamId stream_;
    std::vector<Declared> declared_;
};

} // namespace

std::vector<Declared> read_file(const std::string &file, StreamId stream) {
    const config::DocumentWords words = {
        "the file of subscriptions", "see that the file is there and that this user may read it",
        "write 'subscriptions:' and below it a list; `subscriptions list --yaml` writes such a "
        "file"};
    config::Problems problems;
    const Node root = config::read_document(file, problems, words);
    auto declared = Reader(problems, stream).read(root);
    problems.raise(file);
    return declared;
}

std::string to_json_array(const std::vector<Declared> &subscriptions) {
    std::string json;
    for (const auto &declared : subscriptions)
        json += (json.empty() ? "" : ", ") + declared.json;
    return '[' + json + ']';
}

} // namespace pgat::cli::subscriptions
