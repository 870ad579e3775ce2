// The stream's publication: which rows of async_triggers.events its slot decodes.
//
// It must be committed before its slot is created: a slot decodes with the catalog of its time.
#pragma once

#include <string>

#include "base/identifiers.hpp"
#include "postgres/connection.hpp"

namespace pgat::replication {

// async_triggers_stream_<id>: the publication's name, and the slot's unless configured.
std::string stream_object_name(StreamId stream);

enum class PublicationState {
    right,   // it stood as it should
    created, // it was missing: a slot that existed before cannot decode with it
    mended,  // it was another: a slot that existed before decodes older WAL with what it was
};

// Makes it right and commits. Needs ownership of the table and CREATE on the database. After
// anything but `right` the slot must be replaced. Safe while other daemons do the same. Throws
// Error; `stop` with a hint where a privilege is missing or the name is someone else's.
// Not inside a transaction.
PublicationState ensure_publication(postgres::Connection &sql, StreamId stream);

// What ensure_publication would find, changing nothing.
PublicationState inspect_publication(postgres::Connection &sql, StreamId stream);

// Drops it if it is there.
void drop_publication(postgres::Connection &sql, StreamId stream);

} // namespace pgat::replication
