#include "outbox/time_text.hpp"

#include <chrono>
#include <cstdint>

namespace pgat::outbox {

namespace {

class TimeReader {
  public:
    explicit TimeReader(std::string_view text) : left_(text) {}

    bool good() const noexcept { return good_; }
    bool at_end() const noexcept { return left_.empty(); }

    // Exactly so many.
    int digits(int count) {
        int number = 0;
        for (; count > 0; --count) {
            if (left_.empty() || left_.front() < '0' || left_.front() > '9') {
                good_ = false;
                return 0;
            }
            number = number * 10 + (left_.front() - '0');
            left_.remove_prefix(1);
        }
        return number;
    }
    // One to six, as microseconds.
    int fraction() {
        int number = digits(1);
        int places = 1;
        for (; places < 6 && !left_.empty() && left_.front() >= '0' && left_.front() <= '9';
             ++places)
            number = number * 10 + digits(1);
        for (; places < 6; ++places)
            number *= 10;
        return number;
    }
    // One of these characters, if it comes next.
    bool skip(std::string_view characters) {
        if (left_.empty() || characters.find(left_.front()) == characters.npos) return false;
        left_.remove_prefix(1);
        return true;
    }

  private:
    std::string_view left_;
    bool good_ = true;
};

} // namespace

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

std::optional<Timestamp> parse_time(std::string_view text) {
    using namespace std::chrono;
    TimeReader reader(text);
    const auto y = reader.digits(4);
    const bool date_form = reader.skip("-");
    const auto m = reader.digits(2);
    const bool month_form = reader.skip("-");
    const auto d = reader.digits(2);
    if (!date_form || !month_form || !reader.skip("T ")) return std::nullopt;
    const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                              day(static_cast<unsigned>(d))};
    const auto hour = reader.digits(2);
    if (!reader.skip(":")) return std::nullopt;
    const auto minute = reader.digits(2);
    const auto second = reader.skip(":") ? reader.digits(2) : 0;
    const auto fraction = reader.skip(".") ? reader.fraction() : 0;
    int offset = 0;
    const bool east = reader.skip("+");
    if (east || reader.skip("-")) {
        offset = reader.digits(2) * 60;
        if (reader.skip(":") || !reader.at_end()) offset += reader.digits(2);
        if (!east) offset = -offset;
    } else if (!reader.skip("Zz")) {
        return std::nullopt;
    }
    const bool good = reader.good() && reader.at_end() && date.ok() && hour < 24 && minute < 60 &&
                      second < 60 && offset > -16 * 60 && offset < 16 * 60;
    if (!good) return std::nullopt;
    const auto time = sys_days(date) + hours(hour) + minutes(minute - offset) + seconds(second) +
                      microseconds(fraction);
    return Timestamp(duration_cast<microseconds>(time.time_since_epoch()).count());
}

} // namespace pgat::outbox
