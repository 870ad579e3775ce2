#include "sinks/conformance/trial_settings.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "sinks/config_schema.hpp"
#include "sinks/schema_keywords.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

using nlohmann::json;
using sinks::keyword;

constexpr const char *unknown_key = "pgat_no_such_key";

const json *value_in(const json &schema) {
    for (const char *name : {"default", "const"})
        if (const auto found = schema.find(name); found != schema.end()) return &*found;
    for (const char *name : {"examples", "enum"})
        if (const json *list = keyword(schema, name, &json::is_array);
            list != nullptr && !list->empty())
            return &list->front();
    return nullptr;
}

std::set<std::string> types_of(const json &schema) {
    std::set<std::string> types;
    const auto found = schema.find("type");
    if (found == schema.end()) return types;
    for (const json &type : found->is_array() ? *found : json::array({*found}))
        if (type.is_string()) types.insert(type.get<std::string>());
    return types;
}

bool fits(const json &schema, const json &settings) {
    return sinks::check_settings(schema, settings, "sink").empty();
}

class SchemaReader {
  public:
    explicit SchemaReader(std::vector<std::string> &problems) : problems_(problems) {}

    void read(const json &schema, const std::string &at) {
        if (schema.is_boolean()) return;
        if (!schema.is_object()) return problem(at, "must be an object or a boolean");
        type(schema, at);
        kinds(schema, at);
        values(schema, at);
        if (const json *properties = keyword(schema, "properties", &json::is_object))
            for (const auto &[name, inner] : properties->items())
                read(inner, at + "/properties/" + name);
        for (const char *name : {"items", "additionalProperties"})
            if (const auto found = schema.find(name); found != schema.end())
                read(*found, at + "/" + name);
        for (const char *name : {"oneOf", "anyOf"})
            if (const json *forms = keyword(schema, name, &json::is_array))
                for (std::size_t i = 0; i < forms->size(); ++i)
                    read((*forms)[i], fmt::format("{}/{}/{}", at, name, i));
    }

  private:
    void problem(const std::string &at, const std::string &what) {
        problems_.push_back(fmt::format("{}: {}", at.empty() ? "its root" : at, what));
    }

    void type(const json &schema, const std::string &at) {
        const auto found = schema.find("type");
        if (found == schema.end()) return;
        constexpr std::array known = {"null",    "boolean", "string", "number",
                                      "integer", "array",   "object"};
        for (const json &type : found->is_array() ? *found : json::array({*found}))
            if (std::none_of(known.begin(), known.end(),
                             [&](const char *name) { return type == name; }))
                problem(at, fmt::format("{} is no type", type.dump()));
    }

    // A keyword of the wrong kind checks nothing, in silence.
    void kinds(const json &schema, const std::string &at) {
        using Is = bool (json::*)() const noexcept;
        struct Kind {
            const char *name;
            Is is;
            const char *words;
        };
        constexpr std::array kinds = {
            Kind{"properties", &json::is_object, "an object"},
            Kind{"required", &json::is_array, "an array"},
            Kind{"enum", &json::is_array, "an array"},
            Kind{"oneOf", &json::is_array, "an array"},
            Kind{"anyOf", &json::is_array, "an array"},
            Kind{"pattern", &json::is_string, "a string"},
            Kind{"minimum", &json::is_number, "a number"},
            Kind{"maximum", &json::is_number, "a number"},
            Kind{"exclusiveMinimum", &json::is_number, "a number"},
            Kind{"exclusiveMaximum", &json::is_number, "a number"},
            Kind{"minLength", &json::is_number_unsigned, "a whole number"},
            Kind{"maxLength", &json::is_number_unsigned, "a whole number"},
            Kind{"minItems", &json::is_number_unsigned, "a whole number"},
            Kind{"maxItems", &json::is_number_unsigned, "a whole number"},
        };
        for (const Kind &kind : kinds)
            if (const auto found = schema.find(kind.name);
                found != schema.end() && !((*found).*kind.is)())
                problem(at, fmt::format("{} must be {}", kind.name, kind.words));
    }

    void values(const json &schema, const std::string &at) {
        const auto must_fit = [&](const json &value, const char *name) {
            const auto problems = sinks::check_settings(schema, value, "it");
            if (!problems.empty())
                problem(at, fmt::format("its {} {} does not fit: {}", name,
                                        sinks::one_line(value.dump(), 60), problems[0].what));
        };
        if (const auto found = schema.find("default"); found != schema.end())
            must_fit(*found, "default");
        if (const json *examples = keyword(schema, "examples", &json::is_array))
            for (const json &example : *examples)
                must_fit(example, "example");
        const json *required = keyword(schema, "required", &json::is_array);
        const json *properties = keyword(schema, "properties", &json::is_object);
        if (required == nullptr) return;
        for (const json &name : *required)
            if (!name.is_string() || properties == nullptr ||
                !properties->contains(name.get<std::string>()))
                problem(at,
                        fmt::format("requires {}, which is not among its properties", name.dump()));
    }

    std::vector<std::string> &problems_;
};

} // namespace

json sample_of(const json &schema) {
    json sample = json::object();
    const json *properties = keyword(schema, "properties", &json::is_object);
    const json *required = keyword(schema, "required", &json::is_array);
    if (const json *examples = keyword(schema, "examples", &json::is_array);
        examples != nullptr && !examples->empty() && examples->front().is_object())
        return examples->front();
    if (properties == nullptr || required == nullptr) return sample;
    for (const json &name : *required) {
        if (!name.is_string()) continue;
        const auto property = properties->find(name.get<std::string>());
        if (property == properties->end() || !property->is_object()) continue;
        if (const json *value = value_in(*property))
            sample[name.get<std::string>()] = *value;
        else if (types_of(*property).contains("object"))
            sample[name.get<std::string>()] = sample_of(*property);
    }
    return sample;
}

std::vector<TrialSettings> bad_settings(const json &schema, const json &good) {
    std::vector<TrialSettings> bad;
    const auto others = schema.find("additionalProperties");
    if (others == schema.end() || (others->is_boolean() && !others->get<bool>())) {
        json settings = good;
        settings[unknown_key] = true;
        bad.push_back({std::move(settings), "an unknown key", unknown_key});
    }
    if (const json *properties = keyword(schema, "properties", &json::is_object))
        for (const auto &[name, property] : properties->items()) {
            const auto types = types_of(property);
            if (types.empty()) continue;
            const std::array<std::pair<const char *, json>, 5> wrong = {{
                {"object", json::object()},
                {"array", json::array()},
                {"string", "text"},
                {"boolean", true},
                {"null", nullptr},
            }};
            for (const auto &[type, value] : wrong) {
                if (types.contains(type)) continue;
                json settings = good;
                settings[name] = value;
                bad.push_back(
                    {std::move(settings), fmt::format("{} as {}", name, value.dump()), name});
            }
        }
    if (const json *required = keyword(schema, "required", &json::is_array))
        for (const json &name : *required)
            if (name.is_string()) {
                json settings = good;
                settings.erase(name.get<std::string>());
                bad.push_back({std::move(settings),
                               fmt::format("{} missing", name.get<std::string>()),
                               name.get<std::string>()});
            }
    return bad;
}

std::vector<TrialSettings> odd_settings(const json &schema, const json &good) {
    std::vector<TrialSettings> odd;
    const json *properties = keyword(schema, "properties", &json::is_object);
    if (properties == nullptr) return odd;
    const std::array<std::pair<const char *, std::string>, 4> texts = {{
        {"an empty text", ""},
        {"a text of 4000 bytes", std::string(4000, 'x')},
        {"a text with control characters", "\x01\x1b[31m\t\n\x7f%s%n{/a"},
        {"a text of all Unicode", "\u00E9\u202E\uFEFF\U0001F600\U0010FFFD"},
    }};
    for (const auto &[name, property] : properties->items()) {
        if (!types_of(property).contains("string")) continue;
        for (const auto &[what, text] : texts) {
            json settings = good;
            settings[name] = text;
            if (fits(schema, settings))
                odd.push_back({std::move(settings), fmt::format("{} as {}", name, what), name});
        }
    }
    return odd;
}

std::vector<std::string> schema_problems(const json &schema) {
    std::vector<std::string> problems;
    SchemaReader(problems).read(schema, "");
    return problems;
}

} // namespace pgat::conformance
