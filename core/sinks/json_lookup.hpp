// RFC 6901 look-ups for plugins, on simdjson's On-Demand parser: only what stands on the way is
// read, and a number comes out as it is written.
//
// A document that the caller says lasts (until clear()) is indexed once and then found again by its
// address, the last two of them at a time; any other is checked in full and parsed anew. Answers
// are good until clear(). Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <vector>

namespace pgat::sinks {

enum class Lifetime : bool { passing, lasting };

class JsonLookup {
  public:
    // As a pgat_json_visit, kinds being those of the ABI.
    using Visit = std::int32_t (*)(void *arg, std::string_view key, std::int32_t kind,
                                   std::string_view text);

    JsonLookup();
    ~JsonLookup();
    JsonLookup(const JsonLookup &) = delete;
    JsonLookup &operator=(const JsonLookup &) = delete;

    // The kind (PGAT_JSON_*) of what `pointer` leads to, and its text: strings unescaped, else as
    // written.
    std::int32_t get(std::string_view document, Lifetime lifetime, std::string_view pointer,
                     std::string_view &text);

    // The text alone; empty where there is nothing, or null.
    std::string_view find(std::string_view document, Lifetime lifetime, std::string_view pointer);

    // Calls `visit` for each member until it returns other than 0. Not to be entered again from it.
    template <class Visitor>
    std::int32_t each(std::string_view document, Lifetime lifetime, std::string_view pointer,
                      Visitor visitor) {
        return each(
            document, lifetime, pointer,
            [](void *arg, std::string_view key, std::int32_t kind, std::string_view text) {
                return (*static_cast<Visitor *>(arg))(key, kind, text);
            },
            &visitor);
    }

    // Forgets all documents and takes back all answers; gives back what a huge document made it
    // take.
    void clear() noexcept;

  private:
    struct Slot;

    std::int32_t each(std::string_view document, Lifetime lifetime, std::string_view pointer,
                      Visit visit, void *arg);
    Slot *index(std::string_view document, Lifetime lifetime);
    std::string_view keep(std::string_view text);

    std::array<std::unique_ptr<Slot>, 2>
        slots_; // one for the payload, one for the metadata beside it
    std::size_t newest_ = 0;
    std::vector<std::byte> first_block_;
    std::pmr::monotonic_buffer_resource answers_;
};

} // namespace pgat::sinks
