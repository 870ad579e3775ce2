#include "outbox/time_text.hpp"

#include <chrono>
#include <cstdint>

namespace pgat::outbox {

std::string time_text(Timestamp time) {
    if (time == Timestamp(INT64_MAX)) return "infinity";
    using namespace std::chrono;
    const sys_time<microseconds> point{microseconds(time.value())};
    const auto day = floor<days>(point);
    const year_month_day date(day);
    const hh_mm_ss clock(point - day);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00",
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::string iso_time_text(Timestamp time) {
    std::string text = time_text(time);
    if (text.size() < 4 || !text.ends_with("+00")) return text;
    text[text.find(' ')] = 'T';
    text.replace(text.size() - 3, 3, "Z");
    return text;
}

} // namespace pgat::outbox
