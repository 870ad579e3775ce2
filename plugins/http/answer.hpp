// What an answer of the endpoint means for an event. A pure function of the status; README.md has the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgat::http {

enum class Meaning {
    delivered,
    rejected,    // this event can never be taken
    retry,       // this event failed, and may work later
    unavailable, // the endpoint takes no events now, whichever they are
};

// `rejected` lists the statuses that reject an event.
Meaning meaning_of(long status, const std::vector<long> &rejected);

// "503 Service Unavailable"; the number alone where it has no name.
std::string status_text(long status);

// The beginning of an answer's body as one printable line, for messages; what stands in `secrets` is
// blotted out, as some endpoints answer with the request.
std::string excerpt(std::string_view body, const std::vector<std::string> &secrets);

} // namespace pgat::http
