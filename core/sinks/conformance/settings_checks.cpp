// Making a sink of settings, good, bad and odd.
#include <set>

#include <fmt/format.h>

#include "sinks/config_schema.hpp"
#include "sinks/conformance/check.hpp"
#include "sinks/conformance/settings_secrets.hpp"
#include "sinks/conformance/trial_settings.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance::checks {
namespace {

using nlohmann::json;

constexpr std::size_t most_listed = 5;
constexpr std::size_t least_secret = 6; // what is shorter is found by chance

// What is wrong with how create() took the settings; empty: nothing.
std::string wrongly_refused(const Answer &answer) {
    if (answer.status == PGAT_OK) return {};
    if (answer.status == PGAT_E_UNAVAILABLE)
        return fmt::format("create() returned {}: a receiver that is down is for probe() and "
                           "publish() to report",
                           answer.text());
    if (!answer.reasoned || answer.reason.empty())
        return fmt::format("create() returned {} and gave no reason through host->fail()",
                           status_name(answer.status));
    return {};
}

} // namespace

Finding makes_a_sink(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    const Answer answer = sink.create();
    if (const std::string wrong = wrongly_refused(answer); !wrong.empty()) fail(wrong);
    if (answer.status == PGAT_OK) {
        sink.destroy();
        return {Mark::ok, "", {}};
    }
    const std::string refused = fmt::format("create() returned {}", answer.text());
    if (subject.settings_given || answer.status != PGAT_E_CONFIG)
        fail(refused, {"these are the settings of " + opened.origin});
    skip(fmt::format("{} with {}", refused, opened.origin),
         {"give it settings with --config FILE, as in a daemon's configuration"});
}

// The daemon checks settings against the schema first; what it lets through, create() has to refuse.
Finding refuses_bad_settings(const Subject &subject) {
    const auto plugin = read_table_of(subject);
    const json good = subject.settings_given ? subject.settings : sample_of(plugin.schema);
    const bool good_enough = sinks::check_settings(plugin.schema, good, "sink").empty();
    leave_for_nowhere();
    std::vector<std::string> wrong;
    std::size_t tried = 0;
    for (const TrialSettings &bad : bad_settings(plugin.schema, good)) {
        const auto problems = sinks::check_settings(plugin.schema, bad.settings, "sink");
        const bool refused = std::any_of(problems.begin(), problems.end(), [&](const auto &found) {
            return found.key.starts_with("sink." + bad.key);
        });
        ++tried;
        if (refused) continue;
        if (!good_enough) {
            // Something else is refused, so create() would never see these.
            --tried;
            continue;
        }
        const std::string config = bad.settings.dump();
        TrialSink sink(plugin.table, ObservedHost::make(), config);
        const Answer answer = sink.create();
        sink.destroy();
        if (answer.status == PGAT_OK)
            wrong.push_back(fmt::format("{} is taken", bad.what));
        else if (const std::string refusal = wrongly_refused(answer); !refusal.empty())
            wrong.push_back(fmt::format("{}: {}", bad.what, refusal));
    }
    if (tried == 0)
        return {Mark::ok, "", {"its schema names no keys, and allows every other: nothing is bad"}};
    if (wrong.empty()) return {};
    const std::string first = wrong.front();
    std::vector<std::string> advice(wrong.begin() + 1, wrong.end());
    if (advice.size() > most_listed) advice.resize(most_listed);
    advice.emplace_back("let the schema refuse it (\"additionalProperties\": false, \"type\", "
                        "\"required\"), or create() with PGAT_E_CONFIG and host->fail()");
    fail(first, advice);
}

Finding survives_odd_settings(const Subject &subject) {
    const Opened &opened = open(subject);
    leave_for_nowhere();
    for (const TrialSettings &odd : odd_settings(opened.plugin.schema, opened.settings)) {
        const std::string config = odd.settings.dump();
        TrialSink sink(opened.plugin.table, ObservedHost::make(), config);
        const Answer answer = sink.create();
        sink.destroy();
        if (const std::string wrong = wrongly_refused(answer); !wrong.empty())
            fail(fmt::format("{}: {}", odd.what, wrong));
    }
    return {};
}

Finding keeps_secrets(const Subject &subject) {
    const Opened &opened = open(subject);
    const std::set<std::string> secrets = secrets_of(opened.settings, least_secret);
    if (secrets.empty())
        skip("its settings hold no secret",
             {"keys as password, token, uri hold some: give them with --config FILE"});
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    live(subject, sink, [](std::string_view) {});
    for (const std::string &secret : secrets)
        if (sink.host().said().find(secret) != std::string::npos)
            fail("a log line, a reason or a message holds a secret of the settings",
                 {"these are logged and stored: leave out passwords and tokens, and of URLs the "
                  "password and the query"});
    return {};
}

} // namespace pgat::conformance::checks
