// What the outbox reads as bytes or text from the server: binary COPY rows and snapshots. Whatever
// comes, it becomes events or an Error, nothing is read outside of it, and a snapshot that is accepted
// prints as itself. The input is one COPY message, or after an 'S' a snapshot's text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "outbox/copy_row.hpp"
#include "outbox/snapshot.hpp"

using namespace pgat;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    // In memory of its own, so that a sanitizer sees a read beyond its end.
    const std::vector<char> bytes(data, data + size);
    const std::string_view input(bytes.data(), bytes.size());
    if (input.starts_with('S')) {
        const auto snapshot = outbox::Snapshot::parse(input.substr(1));
        if (!snapshot) return 0;
        if (outbox::Snapshot::parse(snapshot->text()) != snapshot) std::abort();
        if (!snapshot->covers(*snapshot) || snapshot->sees(snapshot->xmax())) std::abort();
        return 0;
    }
    outbox::Chunk chunk;
    outbox::CopyRows rows;
    try {
        rows.add(input, chunk);
        rows.add(input, chunk);
    } catch (const Error &) {
    }
    std::size_t total = 0;
    for (const auto &event : chunk.events)
        total += event.payload.size() + event.metadata.size();
    if (total != chunk.bytes || chunk.events.size() > rows.rows()) std::abort();
    return 0;
}
