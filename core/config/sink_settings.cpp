#include "config/sink_settings.hpp"

#include <utility>

#include "config/document.hpp"
#include "config/overrides.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"

namespace pgat::config {

Sink load_sink(const std::string &file, const Environment &environment) {
    Problems problems;
    Node root = read_document(file, problems);
    Node own = root;
    if (root.find("sink") != nullptr) {
        apply_overrides(root, environment, problems);
        own = *std::as_const(root).find("sink");
    }
    if (own.kind == Node::Kind::null) own.kind = Node::Kind::map;
    if (own.kind != Node::Kind::map)
        problems.add(own.place, "sink",
                     std::string("must be a map of keys, is ") + own.kind_name());
    replace_variables(own, "sink", environment, problems);

    Sink sink;
    sink.type.clear();
    if (const Node *type = std::as_const(own).find("type"); type != nullptr) sink.type = type->text;
    std::erase_if(own.values, [](const Node &value) { return value.key == "type"; });
    if (own.kind == Node::Kind::map) sink.settings = settings(own, "sink", sink.places, problems);
    problems.raise();
    return sink;
}

} // namespace pgat::config
