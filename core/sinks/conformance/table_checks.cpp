// What the plugin says it is.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "sinks/config_schema.hpp"
#include "sinks/conformance/check.hpp"
#include "sinks/conformance/slate.hpp"
#include "sinks/conformance/trial_settings.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance::checks {
namespace {

bool all_of(std::string_view text, int (*is)(int)) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [is](unsigned char c) { return c < 0x80 && is(c) != 0; });
}

int is_word(int c) { return std::isalnum(c) != 0 || c == '-' ? 1 : 0; }

// Takes the text up to the first of `ends`, and leaves that and the rest.
std::string_view take_until(std::string_view &text, std::string_view ends) {
    const auto end = std::min(text.find_first_of(ends), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end);
    return part;
}

// Words between dots, each of letters, digits and hyphens.
bool are_identifiers(std::string_view text) {
    for (;;) {
        if (!all_of(take_until(text, "."), is_word)) return false;
        if (text.empty()) return true;
        text.remove_prefix(1);
    }
}

// https://semver.org
bool is_semantic(std::string_view version) {
    for (int part = 0; part < 3; ++part) {
        const std::string_view number = take_until(version, part < 2 ? "." : "-+");
        if (!all_of(number, std::isdigit) || (number.size() > 1 && number.front() == '0'))
            return false;
        if (part < 2 && version.empty()) return false;
        if (part < 2) version.remove_prefix(1);
    }
    if (version.starts_with('-')) {
        version.remove_prefix(1);
        if (!are_identifiers(take_until(version, "+"))) return false;
    }
    return version.empty() || are_identifiers(version.substr(1));
}

// https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/, without the list of the licenses.
class SpdxExpression {
  public:
    explicit SpdxExpression(std::string_view text) : rest_(text) {}

    bool is_one() { return expression(0) && next().empty(); }

  private:
    std::string_view next() {
        while (rest_.starts_with(' '))
            rest_.remove_prefix(1);
        if (rest_.starts_with('(') || rest_.starts_with(')')) return rest_.substr(0, 1);
        std::string_view ahead = rest_;
        return take_until(ahead, " ()");
    }
    std::string_view take() {
        const std::string_view token = next();
        rest_.remove_prefix(token.size());
        return token;
    }

    static bool is_operator(std::string_view token) {
        return token == "AND" || token == "OR" || token == "WITH";
    }

    bool license() {
        std::string_view token = take();
        if (is_operator(token)) return false;
        if (token.ends_with('+')) token.remove_suffix(1);
        return all_of(token, [](int c) { return is_word(c) != 0 || c == '.' || c == ':' ? 1 : 0; });
    }

    bool expression(int depth) {
        if (depth > 20) return false;
        for (;;) {
            if (next() == "(") {
                take();
                if (!expression(depth + 1) || take() != ")") return false;
            } else if (!license()) {
                return false;
            }
            if (!is_operator(next())) return true;
            take();
        }
    }

    std::string_view rest_;
};

std::string raw(pgat_str text) { return std::string(sinks::from_abi(text)); }

} // namespace

Finding type_is_file_name(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    if (subject.file.filename() == plugin.type + ".so") return {};
    fail(fmt::format("its type is \"{}\", its file is {}", plugin.type,
                     subject.file.filename().string()),
         {fmt::format("name the file {}.so, or the type \"{}\"", plugin.type,
                      subject.file.stem().string())});
}

Finding version_is_semantic(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    if (!is_semantic(raw(plugin.table->version)))
        fail(fmt::format("its version is \"{}\"", plugin.version),
             {"write MAJOR.MINOR.PATCH, as in 1.4.2 or 2.0.0-rc.1 (semver.org)"});
    return {};
}

Finding description_is_a_line(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    const std::string text = raw(plugin.table->description);
    if (text.empty()) fail("its description is empty", {"say in one line what it does"});
    if (text != sinks::one_line(text, 200))
        fail(text.size() > 200 ? fmt::format("its description is {} bytes long, at most 200 are "
                                             "shown well",
                                             text.size())
                               : std::string("its description is not one plain line"));
    return {};
}

Finding license_is_spdx(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    const std::string text = raw(plugin.table->license);
    if (!SpdxExpression(text).is_one())
        fail(fmt::format("its license is \"{}\"", plugin.license),
             {"write an SPDX expression, as in MIT, Apache-2.0 OR MIT, LicenseRef-Proprietary "
              "(spdx.org/licenses)"});
    return {};
}

Finding schema_is_checkable(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    std::vector<std::string> problems = schema_problems(plugin.schema);
    for (const std::string &warning : sinks::schema_warnings(plugin.schema))
        problems.push_back(warning);
    if (!problems.empty()) {
        const std::string first = problems.front();
        problems.erase(problems.begin());
        fail(first, problems);
    }
    if (plugin.schema.empty())
        return {Mark::ok, "", {"it has none: a key that is misspelt passes in silence"}};
    return {};
}

Finding answers_unknown_extensions(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    if (plugin.table->extension == nullptr) return {};
    for (const std::string_view name : {"", "pgat.no-such-extension/1"}) {
        slate().enter(fmt::format("extension(\"{}\")", name), patience);
        const void *answer = plugin.table->extension(sinks::to_abi(name));
        slate().leave();
        if (answer != nullptr) fail(fmt::format("extension(\"{}\") did not return NULL", name));
    }
    return {};
}

} // namespace pgat::conformance::checks
