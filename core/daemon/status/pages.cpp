#include "daemon/status/pages.hpp"

#include <random>

#include <fmt/format.h>

#include "config/connection_string.hpp"
#include "daemon/metrics.hpp"
#include "daemon/status/live_findings.hpp"
#include "daemon/status/page.hpp"
#include "daemon/status/status_json.hpp"

namespace pgat::daemon {

namespace {

using observe::Page;

constexpr auto plain = "text/plain; charset=utf-8";
constexpr auto as_json = "application/json; charset=utf-8";

Page health(const Supervisor &supervisor) {
    const auto ailment = supervisor.ailment();
    return {plain, ailment.value_or("ok") + "\n", ailment ? 503 : 200, {}};
}

// Whether traffic should come here: there is none, but orchestrators ask so whether a start has succeeded.
Page readiness(const Supervisor &supervisor) {
    const Readings now = read_now(supervisor);
    std::string body = fmt::format("{}\n", now.state());
    if (now.view.trouble && !now.view.ready()) body += now.view.trouble->what + "\n";
    return {plain, body, now.view.ready() ? 200 : 503, {}};
}

Page status(const config::Config &config, const Supervisor &supervisor) {
    const Readings now = read_now(supervisor);
    const std::string server = config::describe(config.stream.pg_connection);
    return {as_json,
            status_json(now, live_findings(now, supervisor.ailment(), server),
                        observe::RecentLines::of_this_program()->read(), config.stream.id,
                        config.sink.type, server),
            200,
            {}};
}

std::string nonce() {
    std::random_device random;
    std::string text;
    for (int i = 0; i < 4; ++i)
        text += fmt::format("{:08x}", random());
    return text;
}

// Nothing that is not in the page itself is fetched or run, and nobody frames it.
Page front_page() {
    const std::string once = nonce();
    return {"text/html; charset=utf-8",
            page_html(once),
            200,
            {{"Content-Security-Policy",
              fmt::format("default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; "
                          "connect-src 'self'; img-src data:; base-uri 'none'; form-action "
                          "'none'; frame-ancestors 'none'",
                          once)},
             {"Referrer-Policy", "no-referrer"}}};
}

} // namespace

std::map<std::string, observe::Endpoint::Make>
pages_of(const config::Config &config, const Supervisor &supervisor, const History &history) {
    return {
        {"/", front_page},
        {"/status", [&] { return status(config, supervisor); }},
        {"/history",
         [&] {
             return Page{as_json, history_json(history.read()), 200, {}};
         }},
        {"/metrics",
         [&] {
             return Page{"text/plain; version=0.0.4; charset=utf-8",
                         metrics_text(supervisor, config.stream.id),
                         200,
                         {}};
         }},
        {"/healthz", [&] { return health(supervisor); }},
        {"/readyz", [&] { return readiness(supervisor); }},
    };
}

} // namespace pgat::daemon
