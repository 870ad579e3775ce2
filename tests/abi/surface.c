/* All that the interface is made of, reachable from its one function: what abidw records and abidiff compares. */
#include <pgat/sink.h>

const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor) {
    (void)host_major;
    (void)host_minor;
    return NULL;
}
