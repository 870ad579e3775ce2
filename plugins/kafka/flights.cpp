#include "kafka/flights.hpp"

namespace pgat::kafka {

namespace {
// Several batches of the largest size that anybody sets.
constexpr std::size_t most_kept = 100000;
} // namespace

Flight &Flights::start() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<Flight>());
        free_.reserve(all_.capacity());
        landed_.reserve(all_.capacity());
        return *all_.back();
    }
    Flight &flight = *free_.back();
    free_.pop_back();
    return flight;
}

void Flights::land(Flight &flight, rd_kafka_resp_err_t error, std::int32_t partition) noexcept {
    flight.landed = true;
    if (flight.place) {
        flight.place->first_under_way = false;
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) flight.place->confirmed = Partition::Clock::now();
    }
    flight.error = error;
    flight.partition = partition;
    landed_.push_back(&flight);
}

std::vector<Flight *> Flights::take_landed() {
    std::vector<Flight *> taken(landed_);
    landed_.clear();
    return taken;
}

void Flights::release(Flight &flight) noexcept {
    if (!flight.id.empty()) kept_.erase(flight.id);
    flight = Flight();
    free_.push_back(&flight);
}

void Flights::keep(Flight &flight, std::string_view id) {
    if (kept_.size() >= most_kept) forget_some();
    flight.event = Flight::no_event;
    flight.id = id;
    const auto [at, added] = kept_.emplace(flight.id, &flight);
    if (!added) flight.id.clear(); // the same event twice: the earlier message speaks for it
}

Flight *Flights::kept(std::string_view id) noexcept {
    const auto found = kept_.find(id);
    return found == kept_.end() ? nullptr : found->second;
}

void Flights::claim(Flight &flight, std::uint32_t event) {
    kept_.erase(flight.id);
    flight.id.clear();
    flight.event = event;
}

void Flights::forget_some() {
    std::vector<Flight *> over;
    for (const auto &[id, flight] : kept_)
        if (flight->landed) over.push_back(flight);
    for (Flight *flight : over)
        release(*flight);
}

} // namespace pgat::kafka
