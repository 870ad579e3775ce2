#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "config/document.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"
#include "config/overrides.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"

namespace pgat::config {

namespace {

constexpr std::array<const char *, 3> usual_places = {"./config.yaml", "/config.yaml",
                                                      "/etc/postgres-async-triggers/config.yaml"};

const Node *find_path(const Node &root, const std::string &path) {
    const Node *at = &root;
    for (std::size_t begin = 0; at != nullptr;) {
        const auto end = path.find('.', begin);
        at = at->find(path.substr(begin, end - begin));
        if (end == std::string::npos) break;
        begin = end + 1;
    }
    return at;
}

class Reader {
  public:
    Reader(Config &config, const Node &root, Problems &problems)
        : config_(config), root_(root), problems_(problems) {}

    void read_section(const Node &section, const std::string &path) {
        if (section.kind == Node::Kind::null || section.unusable) return;
        if (section.kind != Node::Kind::map) {
            problems_.add(section.place, path,
                          fmt::format("must be a map of keys, is {}", section.kind_name()));
            return;
        }
        for (const Node &value : section.values) {
            const std::string full = path.empty() ? value.key : path + "." + value.key;
            if (full == "sink")
                read_sink(value);
            else if (const Key *key = find_key(full))
                read_key(*key, value);
            else if (is_section(full))
                read_section(value, full);
            else
                unknown(value, full);
        }
    }

  private:
    void read_key(const Key &key, const Node &value) {
        if (value.kind == Node::Kind::null || value.unusable) return;
        const Node *other = key.excludes.empty() ? nullptr : find_path(root_, key.excludes);
        if (other != nullptr && other->kind != Node::Kind::null) {
            // Said once, at the later of the two.
            if (key.path > key.excludes)
                problems_.add(value.place, key.path,
                              fmt::format("and {} ({}) are both set; remove one", key.excludes,
                                          other->place));
            return;
        }
        try {
            key.set(config_, value);
        } catch (const BadValue &bad) {
            problems_.add(value.place, key.path, bad.what());
        }
    }

    void read_sink(const Node &section) {
        if (section.kind == Node::Kind::null || section.unusable) return;
        if (section.kind != Node::Kind::map) {
            problems_.add(section.place, "sink",
                          fmt::format("must be a map of keys, is {}", section.kind_name()));
            return;
        }
        Node own = section;
        std::erase_if(own.values, [](const Node &value) { return value.key == "type"; });
        if (const Node *type = section.find("type")) read_key(*find_key("sink.type"), *type);
        config_.sink.settings = settings(own, "sink", config_.sink.places, problems_);
    }

    void unknown(const Node &value, std::string full) {
        if (!value.place.starts_with("environment variable ")) {
            problems_.add(
                value.place, full,
                fmt::format("unknown key; did you mean {}?", nearest(full, known_paths())));
            return;
        }
        // A variable names a whole path; the value stands at the end of it.
        for (const Node *at = &value; at->kind == Node::Kind::map && !at->values.empty();) {
            at = &at->values.front();
            full += "." + at->key;
        }
        const std::string near = nearest(full, known_paths());
        problems_.add(value.place, full,
                      fmt::format("unknown key; did you mean {} ({})?", near, variable_of(near)));
    }

    Config &config_;
    const Node &root_;
    Problems &problems_;
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool is_level(const std::string &word) {
    constexpr std::array<const char *, 5> levels = {"trace", "debug", "info", "warn", "error"};
    return std::find(levels.begin(), levels.end(), word) != levels.end();
}

// A level, or directives as Rust programs take them ("info,hyper=warn"), of which the level that stands
// alone or is given to us counts. Empty: none.
std::string level_in(const std::string &directives) {
    std::string level;
    for (std::size_t begin = 0; begin <= directives.size();) {
        const auto end = std::min(directives.find(',', begin), directives.size());
        std::string word = lower(directives.substr(begin, end - begin));
        std::erase_if(word, [](unsigned char c) { return std::isspace(c) != 0; });
        const auto equals = word.find('=');
        if (equals != std::string::npos)
            word =
                word.substr(0, equals) == "postgres_async_triggers" ? word.substr(equals + 1) : "";
        if (is_level(word)) level = word;
        begin = end + 1;
    }
    return level;
}

void read_log_level(Config &config, const Environment &environment, Problems &problems) {
    const auto ours = environment.get("ASYNC_TRIGGERS_LOG");
    if (ours && !ours->empty()) {
        const std::string level = level_in(*ours);
        if (level.empty())
            problems.add(
                "environment variable ASYNC_TRIGGERS_LOG", "log.level",
                fmt::format("must be one of trace, debug, info, warn, error, is \"{}\"", *ours));
        else
            config.log.level = level;
        return;
    }
    // RUST_LOG may be meant for another program: what we do not understand is not our business.
    if (environment.get(variable_of("log.level"))) return;
    const std::string level = level_in(environment.get("RUST_LOG").value_or(""));
    if (!level.empty()) config.log.level = level;
}

// Where one of the two was written; they are not both at their defaults.
std::string place_of_either(const Node &root, const std::string &left, const std::string &right) {
    const Node *node = find_path(root, left);
    if (node == nullptr || node->kind == Node::Kind::null) node = find_path(root, right);
    return node == nullptr ? root.place : node->place;
}

void check_together(const Config &config, const Node &root, Problems &problems) {
    const auto in_order = [&](const std::string &small, auto small_value, const std::string &large,
                              auto large_value) {
        if (small_value > large_value)
            problems.add(
                place_of_either(root, small, large), small,
                fmt::format("must not be over {}, is {} and {}", large, small_value, large_value));
    };
    const Stream &stream = config.stream;
    in_order("stream.batch.min_size", stream.batch.min_size, "stream.batch.max_size",
             stream.batch.max_size);
    in_order("stream.retry.initial_backoff_ms", stream.retry.initial_backoff.count(),
             "stream.retry.max_backoff_ms", stream.retry.max_backoff.count());
}

} // namespace

std::string find_file(const std::string &named, const Environment &environment) {
    if (!named.empty()) return named;
    const auto variable = environment.get("ASYNC_TRIGGERS_CONFIG");
    if (variable && !variable->empty()) return *variable;
    for (const char *place : usual_places) {
        std::error_code ignored;
        if (std::filesystem::exists(place, ignored)) return place;
    }
    return {};
}

Config load(const std::string &file, const Environment &environment) {
    Problems problems;
    Node root;
    root.kind = Node::Kind::map;
    if (!file.empty()) root = read_document(file, problems);
    const std::size_t overrides = apply_overrides(root, environment, problems);
    if (file.empty() && overrides == 0 && problems.empty()) {
        throw Error(Remedy::configure, fmt::format("no configuration file: looked for {}",
                                                   fmt::join(usual_places, ", ")))
            .with_hint(
                "name one with --config FILE or in ASYNC_TRIGGERS_CONFIG; config.example.yaml "
                "shows every key");
    }
    replace_variables(root, "", environment, problems);

    Config config;
    config.file = file;
    Reader(config, root, problems).read_section(root, "");
    read_log_level(config, environment, problems);
    if (problems.empty()) check_together(config, root, problems);
    problems.raise();
    if (config.stream.slot_name.empty())
        config.stream.slot_name = fmt::format("async_triggers_stream_{}", config.stream.id);
    return config;
}

} // namespace pgat::config
