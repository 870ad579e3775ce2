#include "replication/pgoutput/decoder.hpp"

#include "replication/pgoutput/reader.hpp"

namespace pgat::replication {

namespace {

Value read_value(Reader &reader) {
    switch (reader.character()) {
    case 'b':
        return {ValueKind::binary, reader.counted()};
    case 't':
        return {ValueKind::text, reader.counted()};
    case 'n':
        return {ValueKind::null, {}};
    case 'u':
        return {ValueKind::unchanged, {}};
    default:
        reader.fail("a column is of an unknown kind");
    }
}

// The number of things to follow, each of at least one byte.
std::size_t read_count(Reader &reader) {
    const std::size_t count = reader.uint16();
    if (count > reader.left()) reader.fail("it has more columns than bytes");
    return count;
}

void read_tuple(Reader &reader, std::vector<Value> &values) {
    values.resize(read_count(reader));
    for (auto &value : values)
        value = read_value(reader);
}

void skip_tuple(Reader &reader) {
    for (auto count = read_count(reader); count > 0; --count)
        read_value(reader);
}

Begin read_begin(std::string_view body) {
    Reader reader(body, "Begin");
    const auto commit_lsn = reader.lsn();
    const auto committed_at = reader.timestamp();
    const Xid32 xid(reader.uint32());
    reader.require_end();
    return {commit_lsn, committed_at, xid};
}

Commit read_commit(std::string_view body) {
    Reader reader(body, "Commit");
    reader.skip(1); // flags, unused
    const auto commit_lsn = reader.lsn();
    const auto end_lsn = reader.lsn();
    const auto committed_at = reader.timestamp();
    reader.require_end();
    return {commit_lsn, end_lsn, committed_at};
}

RelationDescription read_relation(std::string_view body, std::vector<ColumnDescription> &columns) {
    Reader reader(body, "Relation");
    const RelationId id(reader.uint32());
    const auto schema = reader.c_string();
    const auto name = reader.c_string();
    const char identity = reader.character();
    columns.resize(read_count(reader));
    for (auto &column : columns) {
        column.key = (reader.byte() & 1) != 0;
        column.name = reader.c_string();
        column.type = TypeId(reader.uint32());
        column.modifier = static_cast<std::int32_t>(reader.uint32());
    }
    reader.require_end();
    return {id, schema, name, identity, columns};
}

Insert read_insert(std::string_view body, std::vector<Value> &values) {
    Reader reader(body, "Insert");
    const RelationId relation(reader.uint32());
    if (reader.character() != 'N') reader.fail("it has no new row");
    read_tuple(reader, values);
    reader.require_end();
    return {relation, values};
}

Update read_update(std::string_view body) {
    Reader reader(body, "Update");
    const RelationId relation(reader.uint32());
    char part = reader.character();
    if (part == 'K' || part == 'O') {
        skip_tuple(reader);
        part = reader.character();
    }
    if (part != 'N') reader.fail("it has no new row");
    skip_tuple(reader);
    reader.require_end();
    return {relation};
}

Delete read_delete(std::string_view body) {
    Reader reader(body, "Delete");
    const RelationId relation(reader.uint32());
    const char part = reader.character();
    if (part != 'K' && part != 'O') reader.fail("it has no old row");
    skip_tuple(reader);
    reader.require_end();
    return {relation};
}

Truncate read_truncate(std::string_view body) {
    Reader reader(body, "Truncate");
    const auto relations = reader.uint32();
    reader.skip(1); // CASCADE, RESTART IDENTITY
    reader.skip(std::size_t{relations} * 4);
    reader.require_end();
    return {relations};
}

TypeDescription read_type(std::string_view body) {
    Reader reader(body, "Type");
    const TypeId id(reader.uint32());
    const auto schema = reader.c_string();
    const auto name = reader.c_string();
    reader.require_end();
    return {id, schema, name};
}

Origin read_origin(std::string_view body) {
    Reader reader(body, "Origin");
    const auto commit_lsn = reader.lsn();
    const auto name = reader.c_string();
    reader.require_end();
    return {commit_lsn, name};
}

LogicalMessage read_logical_message(std::string_view body) {
    Reader reader(body, "Message");
    const bool transactional = (reader.byte() & 1) != 0;
    const auto lsn = reader.lsn();
    const auto prefix = reader.c_string();
    const auto content = reader.counted();
    reader.require_end();
    return {transactional, lsn, prefix, content};
}

} // namespace

Message Decoder::decode(std::string_view bytes) {
    Reader head(bytes, "pgoutput message");
    const char kind = head.character();
    const auto body = head.rest();
    switch (kind) {
    case 'I':
        return read_insert(body, values_);
    case 'B':
        return read_begin(body);
    case 'C':
        return read_commit(body);
    case 'R':
        return read_relation(body, columns_);
    case 'U':
        return read_update(body);
    case 'D':
        return read_delete(body);
    case 'T':
        return read_truncate(body);
    case 'Y':
        return read_type(body);
    case 'O':
        return read_origin(body);
    case 'M':
        return read_logical_message(body);
    default:
        return Unknown{kind};
    }
}

} // namespace pgat::replication
