#include "daemon/survey.hpp"

#include <algorithm>

#include "base/wall_clock.hpp"

namespace pgat::daemon {

namespace {

constexpr auto interval = std::chrono::seconds(5);
// Looking may take up a twentieth of the server's time, as counting may, up to a point.
constexpr int share = 20;
constexpr auto longest_interval = std::chrono::minutes(1);
constexpr auto subscriptions_interval = std::chrono::hours(1);
constexpr std::int64_t shown_subscriptions = 200;
constexpr std::size_t shown_letters = 20;
constexpr std::size_t shown_reason = 300;

// Changes with every change of a subscription, and of a table, column or trigger that one uses.
constexpr auto catalog_state = R"sql(
    with subscription as (
        select s.ctid::text || s.xmin::text as version,
               to_regclass(quote_ident(s.schema_name) || '.' || quote_ident(s.table_name)) as relation
        from async_triggers.subscriptions s where s.stream_id = $1),
    relation as (select distinct relation as oid from subscription where relation is not null)
    select hashtextextended(concat(
        (select string_agg(version || coalesce(relation::oid::text, '-'), ',' order by version) from subscription),
        '/',
        (select string_agg(c.oid::text || c.xmin::text, ',' order by c.oid)
         from pg_class c join relation using (oid)),
        '/',
        (select string_agg(a.attrelid::text || '.' || a.attnum || a.xmin::text, ',' order by a.attrelid, a.attnum)
         from pg_attribute a join relation on relation.oid = a.attrelid where a.attnum > 0),
        '/',
        (select string_agg(t.oid::text || t.xmin::text, ',' order by t.oid)
         from pg_trigger t where t.tgname in
             ('async_triggers_insert', 'async_triggers_update', 'async_triggers_delete'))), 0)
)sql";

} // namespace

void Surveyor::look_at_subscriptions(postgres::Connection &sql) {
    const auto found = sql.exec(catalog_state, {request_.stream});
    const std::string state(found.text(0, 0));
    if (state == subscriptions_seen_ && Clock::now() < subscriptions_due_) return;
    const auto rows = sql.exec("select key, operation::text, quote_ident(schema_name) || '.' || "
                               "quote_ident(table_name) from async_triggers.subscriptions "
                               "where stream_id = $1 order by key limit $2",
                               {request_.stream, shown_subscriptions});
    subscriptions_.clear();
    for (int row = 0; row < rows.rows(); ++row)
        subscriptions_.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)),
                                  std::string(rows.text(row, 2))});
    problems_ = outbox::read_subscription_problems(sql, request_.stream);
    subscriptions_seen_ = state;
    subscriptions_due_ = Clock::now() + subscriptions_interval;
}

Survey Surveyor::look(postgres::Connection &sql) {
    const auto began = Clock::now();
    Survey survey;
    try {
        survey.stream = outbox::read_stream_report(sql, request_);
        survey.letters = outbox::newest_letters(sql, {request_.stream, {}, std::nullopt},
                                                std::nullopt, shown_letters, shown_reason);
        look_at_subscriptions(sql);
    } catch (const Error &error) {
        if (!sql.usable() || error.sqlstate().empty()) throw;
        log_.warn("cannot look up in the database how the stream is: metrics and the status page "
                  "lack what it says",
                  error);
    }
    for (auto &letter : survey.letters) {
        letter.payload.clear();
        letter.metadata.clear();
    }
    survey.subscriptions = subscriptions_;
    survey.problems = problems_;
    if (survey.stream.schema != 0)
        survey.findings = outbox::findings_of(survey.stream, request_, problems_);
    survey.taken = wall_clock();
    const auto now = Clock::now();
    due_ = now + std::clamp<Clock::duration>(share * (now - began), interval, longest_interval);
    return survey;
}

} // namespace pgat::daemon
