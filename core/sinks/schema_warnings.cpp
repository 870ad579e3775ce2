// A plugin author's schema, looked through for what check_settings() would pass over in silence.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sinks/config_schema.hpp"
#include "sinks/schema_keywords.hpp"

namespace pgat::sinks {
namespace {

using nlohmann::json;

constexpr std::array checked = {"type",
                                "properties",
                                "required",
                                "additionalProperties",
                                "enum",
                                "const",
                                "minimum",
                                "maximum",
                                "exclusiveMinimum",
                                "exclusiveMaximum",
                                "minLength",
                                "maxLength",
                                "pattern",
                                "items",
                                "minItems",
                                "maxItems",
                                "oneOf",
                                "anyOf"};
constexpr std::array documenting = {"$schema",         "$id",      "$comment",  "title",
                                    "description",     "default",  "examples",  "deprecated",
                                    "format",          "readOnly", "writeOnly", "contentEncoding",
                                    "contentMediaType"};

void collect_warnings(const json &schema, const std::string &at,
                      std::vector<std::string> &warnings) {
    if (!schema.is_object()) return;
    for (const auto &member : schema.items()) {
        const std::string &name = member.key(); // no binding: clang 14 captures none in a lambda
        const json &value = member.value();
        const auto is_it = [&](const char *known) { return name == known; };
        if (std::any_of(checked.begin(), checked.end(), is_it)) {
            if (name == "pattern" && value.is_string() && !matches(value.get<std::string>(), ""))
                warnings.push_back(fmt::format(
                    "its config_schema has a pattern that cannot be checked, at {}/", at));
        } else if (std::none_of(documenting.begin(), documenting.end(), is_it)) {
            warnings.push_back(fmt::format(
                "its config_schema uses {}, which this daemon does not check, at {}/", name, at));
        }
    }
    if (const json *properties = keyword(schema, "properties", &json::is_object))
        for (const auto &[key, inner] : properties->items())
            collect_warnings(inner, at + "/properties/" + key, warnings);
    for (const char *name : {"items", "additionalProperties"})
        if (const auto found = schema.find(name); found != schema.end())
            collect_warnings(*found, at + "/" + name, warnings);
    for (const char *name : {"oneOf", "anyOf"})
        if (const json *forms = keyword(schema, name, &json::is_array))
            for (std::size_t i = 0; i < forms->size(); ++i)
                collect_warnings((*forms)[i], fmt::format("{}/{}/{}", at, name, i), warnings);
}

} // namespace

std::vector<std::string> schema_warnings(const json &schema) {
    std::vector<std::string> warnings;
    collect_warnings(schema, "", warnings);
    return warnings;
}

} // namespace pgat::sinks
