#include "sinks/config_schema.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/nearest.hpp"
#include "sinks/schema_keywords.hpp"
#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

using nlohmann::json;

// A limit for what patterns are tried on: some matchers recurse once a character.
constexpr std::size_t max_matched = 4096;
constexpr std::size_t max_shown = 100;

std::string_view type_name(const json &value) {
    switch (value.type()) {
    case json::value_t::null:
        return "null";
    case json::value_t::boolean:
        return "boolean";
    case json::value_t::string:
        return "string";
    case json::value_t::array:
        return "array";
    case json::value_t::object:
        return "object";
    default:
        return "number";
    }
}

bool has_type(const json &value, const std::string &type) {
    if (type == "integer")
        return value.is_number_integer() ||
               (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
    return type_name(value) == type;
}

std::string with_article(const std::string &type) {
    if (type == "null") return type;
    return (type.find_first_of("aeiou") == 0 ? "an " : "a ") + type;
}

std::string shown(const json &value) { return one_line(value.dump(), max_shown); }

std::size_t characters(const std::string &text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

std::string unknown_key(std::string_view parent, std::string_view key, const json *properties) {
    std::vector<std::string> known;
    if (properties != nullptr)
        for (const auto &[name, ignored] : properties->items())
            known.push_back(fmt::format("{}.{}", parent, name));
    if (known.empty()) return "unknown key; none is known here";
    return fmt::format("unknown key; did you mean {}?",
                       config::nearest(fmt::format("{}.{}", parent, key), known));
}

class Check {
  public:
    explicit Check(std::vector<ConfigProblem> &problems) : problems_(problems) {}

    void value(const json &schema, const json &value, const std::string &key) {
        if (schema.is_boolean() && !schema.get<bool>()) problem(key, "is not allowed");
        if (!schema.is_object()) return;
        if (!type(schema, value, key)) return; // what follows would only repeat it
        choices(schema, value, key);
        if (value.is_number()) number(schema, value, key);
        if (value.is_string()) string(schema, value.get_ref<const std::string &>(), key);
        if (value.is_array()) array(schema, value, key);
        if (value.is_object()) object(schema, value, key);
        alternatives(schema, value, key);
    }

  private:
    void problem(const std::string &key, std::string what) {
        problems_.push_back({key, std::move(what)});
    }

    bool type(const json &schema, const json &value, const std::string &key) {
        const auto found = schema.find("type");
        if (found == schema.end()) return true;
        std::vector<std::string> wanted;
        for (const json &type : found->is_array() ? *found : json::array({*found}))
            if (type.is_string()) wanted.push_back(type.get<std::string>());
        if (wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                          [&](const auto &type) { return has_type(value, type); }))
            return true;
        for (std::string &type : wanted)
            type = with_article(type);
        // 1.5 for an integer: naming the types would read "an integer, not a number".
        const bool fraction = value.is_number() && wanted.size() == 1 && wanted[0] == "an integer";
        problem(key,
                fmt::format("must be {}, not {}", fmt::join(wanted, " or "),
                            fraction ? shown(value) : with_article(std::string(type_name(value)))));
        return false;
    }

    void choices(const json &schema, const json &value, const std::string &key) {
        if (const json *allowed = keyword(schema, "enum", &json::is_array);
            allowed != nullptr &&
            std::find(allowed->begin(), allowed->end(), value) == allowed->end()) {
            std::vector<std::string> names;
            for (const json &one : *allowed)
                names.push_back(shown(one));
            problem(key,
                    fmt::format("must be one of {}, not {}", fmt::join(names, ", "), shown(value)));
        }
        if (const auto only = schema.find("const"); only != schema.end() && *only != value)
            problem(key, fmt::format("must be {}", shown(*only)));
    }

    void number(const json &schema, const json &value, const std::string &key) {
        const auto limit = [&](const char *name, auto &&violates, const char *words) {
            if (const auto found = schema.find(name);
                found != schema.end() && found->is_number() && violates(value, *found))
                problem(key,
                        fmt::format("must be {} {}, not {}", words, shown(*found), shown(value)));
        };
        limit(
            "minimum", [](const json &a, const json &b) { return a < b; }, "at least");
        limit(
            "maximum", [](const json &a, const json &b) { return a > b; }, "at most");
        limit(
            "exclusiveMinimum", [](const json &a, const json &b) { return a <= b; }, "more than");
        limit(
            "exclusiveMaximum", [](const json &a, const json &b) { return a >= b; }, "less than");
    }

    void string(const json &schema, const std::string &value, const std::string &key) {
        size(schema, characters(value), key, "minLength", "maxLength", "character");
        const json *pattern = keyword(schema, "pattern", &json::is_string);
        if (pattern == nullptr) return;
        if (value.size() > max_matched) {
            problem(key, fmt::format("must not be longer than {} bytes", max_matched));
        } else if (!matches(pattern->get<std::string>(), value).value_or(true)) {
            problem(key, fmt::format("must match {}", pattern->get<std::string>()));
        }
    }

    void array(const json &schema, const json &value, const std::string &key) {
        size(schema, value.size(), key, "minItems", "maxItems", "item");
        if (const auto items = schema.find("items"); items != schema.end())
            for (std::size_t i = 0; i < value.size(); ++i)
                this->value(*items, value[i], fmt::format("{}[{}]", key, i));
    }

    void object(const json &schema, const json &value, const std::string &key) {
        const json *properties = keyword(schema, "properties", &json::is_object);
        const auto others = schema.find("additionalProperties");
        if (const json *required = keyword(schema, "required", &json::is_array))
            for (const json &name : *required)
                if (name.is_string() && !value.contains(name.get<std::string>()))
                    problem(key + "." + name.get<std::string>(), "is required");
        for (const auto &[name, inner] : value.items()) {
            const std::string path = key + "." + name;
            if (properties != nullptr && properties->contains(name)) {
                this->value((*properties)[name], inner, path);
            } else if (others != schema.end() && others->is_boolean() && !others->get<bool>()) {
                problem(path, unknown_key(key, name, properties));
            } else if (others != schema.end()) {
                this->value(*others, inner, path);
            }
        }
    }

    void size(const json &schema, std::size_t size, const std::string &key, const char *min,
              const char *max, std::string_view unit) {
        const auto one = [&](const char *name, const char *words, bool at_least) {
            const json *limit = keyword(schema, name, &json::is_number_unsigned);
            if (limit == nullptr) return;
            const auto bound = limit->get<std::size_t>();
            if (at_least ? size < bound : size > bound)
                problem(key, fmt::format("must have {} {} {}{}, not {}", words, bound, unit,
                                         bound == 1 ? "" : "s", size));
        };
        one(min, "at least", true);
        one(max, "at most", false);
    }

    void alternatives(const json &schema, const json &value, const std::string &key) {
        for (const char *name : {"anyOf", "oneOf"}) {
            const json *forms = keyword(schema, name, &json::is_array);
            if (forms == nullptr || forms->empty()) continue;
            std::vector<std::vector<ConfigProblem>> found(forms->size());
            for (std::size_t i = 0; i < forms->size(); ++i)
                Check(found[i]).value((*forms)[i], value, key);
            const auto fitting = std::count_if(
                found.begin(), found.end(), [](const auto &problems) { return problems.empty(); });
            if (fitting == 0) {
                problem(key, "fits none of the forms allowed here: " + any_of(found, key));
            } else if (fitting > 1 && std::string_view(name) == "oneOf") {
                problem(key, "fits several forms of which only one may fit");
            }
        }
    }

    static std::string any_of(const std::vector<std::vector<ConfigProblem>> &found,
                              const std::string &key) {
        std::vector<std::string> forms;
        for (const auto &problems : found) {
            const ConfigProblem &first = problems.front();
            std::string form = first.key == key ? first.what : first.key + " " + first.what;
            if (std::find(forms.begin(), forms.end(), form) == forms.end())
                forms.push_back(std::move(form));
        }
        return fmt::format("{}", fmt::join(forms, "; or "));
    }

    std::vector<ConfigProblem> &problems_;
};

// "config.yaml:14: ", or nothing. A key that is missing has the place of what it is missing in.
std::string place_of(std::string_view key, const config::Places &places) {
    for (;;) {
        const auto found = places.find(std::string(key));
        if (found != places.end()) return found->second + ": ";
        const auto end = key.find_last_of(".[");
        if (end == std::string_view::npos) return {};
        key = key.substr(0, end);
    }
}

} // namespace

std::vector<ConfigProblem> check_settings(const json &schema, const json &settings,
                                          std::string_view key) {
    std::vector<ConfigProblem> problems;
    Check(problems).value(schema, settings, std::string(key));
    return problems;
}

std::string to_text(const std::vector<ConfigProblem> &problems, const config::Places &places) {
    std::string text;
    for (const ConfigProblem &problem : problems)
        text += fmt::format("{}{}{}: {}", text.empty() ? "" : "\n", place_of(problem.key, places),
                            problem.key, problem.what);
    return text;
}

} // namespace pgat::sinks
