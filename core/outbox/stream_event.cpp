#include "outbox/stream_event.hpp"

#include <variant>

#include <fmt/format.h>

#include "base/error.hpp"
#include "replication/pgoutput/value.hpp"

namespace pgat::outbox {

namespace {

namespace pgoutput = replication;

Error out_of_step(const char *what) {
    return {Remedy::reconnect, fmt::format("the replication stream is out of step: {}", what)};
}

} // namespace

// With publish_via_partition_root it is the root; by its partitions' own names it would come if the
// publication had once been another.
StreamEvents::Columns StreamEvents::locate(const pgoutput::RelationDescription &relation) {
    Columns columns;
    if (relation.schema != "async_triggers") return columns;
    if (relation.name != "events" && !relation.name.starts_with("events_")) return columns;

    const auto find = [&](std::string_view name) {
        for (std::size_t i = 0; i < relation.columns.size(); ++i)
            if (relation.columns[i].name == name) return i;
        throw Error(Remedy::stop,
                    fmt::format("table async_triggers.{} has no column {}", relation.name, name))
            .with_hint("apply this version's migrations: postgres-async-triggers migrate");
    };
    columns.events = true;
    columns.width = relation.columns.size();
    columns.xid = find("xid");
    columns.id = find("id");
    columns.stream_id = find("stream_id");
    columns.created_at = find("created_at");
    columns.payload = find("payload");
    columns.metadata = find("metadata");
    return columns;
}

void StreamEvents::add(std::string_view message, Chunk &chunk) {
    const auto decoded = decoder_.decode(message);
    if (const auto *insert = std::get_if<pgoutput::Insert>(&decoded)) {
        add_row(*insert, chunk);
    } else if (const auto *begin = std::get_if<pgoutput::Begin>(&decoded)) {
        if (transaction_) throw out_of_step("a transaction begins within another");
        transaction_ = Transaction{begin->commit_lsn, begin->xid, Xid()};
        last_commit_at_ = begin->committed_at;
    } else if (const auto *commit = std::get_if<pgoutput::Commit>(&decoded)) {
        add_commit(*commit, chunk);
    } else if (const auto *relation = std::get_if<pgoutput::RelationDescription>(&decoded)) {
        tables_.insert_or_assign(relation->id, locate(*relation));
    } else if (const auto *unknown = std::get_if<pgoutput::Unknown>(&decoded)) {
        throw Error(Remedy::stop, fmt::format("the stream has a message of unknown kind {:#04x}",
                                              static_cast<unsigned char>(unknown->kind)))
            .with_hint("this server needs a newer version of postgres-async-triggers");
    }
}

void StreamEvents::add_row(const pgoutput::Insert &insert, Chunk &chunk) {
    if (!transaction_) throw out_of_step("a row outside of a transaction");
    const auto table = tables_.find(insert.relation);
    if (table == tables_.end()) throw out_of_step("a row of a table that it never described");
    const Columns &columns = table->second;
    if (!columns.events) return;
    if (insert.values.size() != columns.width)
        throw out_of_step("a row is not as wide as its table");
    if (pgoutput::int8_value(insert.values[columns.stream_id]) != stream_.value()) return;

    const auto &metadata = insert.values[columns.metadata];
    Event event;
    event.xid = Xid(pgoutput::xid8_value(insert.values[columns.xid]));
    event.at.id = EventId(pgoutput::int8_value(insert.values[columns.id]));
    event.at.created_at = pgoutput::timestamptz_value(insert.values[columns.created_at]);
    event.commit_lsn = transaction_->commit_lsn;
    event.payload = chunk.arena.copy(pgoutput::jsonb_text(insert.values[columns.payload]));
    if (metadata.kind != pgoutput::ValueKind::null)
        event.metadata = chunk.arena.copy(pgoutput::jsonb_text(metadata));
    chunk.bytes += event.payload.size() + event.metadata.size();
    chunk.events.push_back(event);

    if (static_cast<std::uint32_t>(event.xid.value()) == transaction_->xid.value())
        transaction_->full_xid = event.xid;
}

void StreamEvents::add_commit(const pgoutput::Commit &commit, Chunk &chunk) {
    if (!transaction_ || transaction_->commit_lsn != commit.commit_lsn)
        throw out_of_step("a Commit without its Begin");
    chunk.marks.push_back({chunk.events.size(), commit.end_lsn, transaction_->full_xid});
    last_position_ = commit.end_lsn;
    transaction_.reset();
}

void StreamEvents::add(const replication::Keepalive &keepalive, Chunk &chunk) {
    if (transaction_ || keepalive.wal_end <= last_position_) return;
    last_position_ = keepalive.wal_end;
    if (!chunk.marks.empty()) {
        auto &newest = chunk.marks.back();
        if (newest.xid == Xid() && newest.events_before == chunk.events.size()) {
            newest.position = keepalive.wal_end;
            return;
        }
    }
    chunk.marks.push_back({chunk.events.size(), keepalive.wal_end, Xid()});
}

} // namespace pgat::outbox
