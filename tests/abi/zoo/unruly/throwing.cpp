// Lets an exception out of publish().
#include <new>
#include <stdexcept>

#include <pgat/sink.h>

struct pgat_sink {};

namespace {

pgat_status create(const pgat_host *, pgat_str, pgat_sink **out) {
    *out = new (std::nothrow) pgat_sink;
    return PGAT_OK;
}

void destroy(pgat_sink *sink) { delete sink; }

pgat_status publish(pgat_sink *, const pgat_batch *, pgat_outcomes *) {
    throw std::runtime_error("no connection");
}

} // namespace

const pgat_sink_plugin *pgat_sink_entry(std::uint32_t, std::uint32_t) {
    static const pgat_sink_plugin table = {
        sizeof(pgat_sink_plugin),
        PGAT_ABI_MAJOR,
        PGAT_ABI_MINOR,
        0,
        PGAT_LIT("throwing"),
        PGAT_LIT("1.2.3"),
        PGAT_LIT("throws"),
        PGAT_LIT("MIT"),
        PGAT_LIT(R"({"type": "object", "additionalProperties": false})"),
        0,
        0,
        create,
        destroy,
        publish,
        nullptr,
        nullptr};
    return &table;
}
