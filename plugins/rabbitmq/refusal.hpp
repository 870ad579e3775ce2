// How a broker says no, and what that means for what was sent.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgat::rabbitmq {

// A channel.close or connection.close. The method is the one that caused it; 0: none did.
struct Refusal {
    std::uint16_t code = 0; // AMQP's, as 404
    std::string text;       // the broker's, as one line
    std::uint16_t class_id = 0;
    std::uint16_t method_id = 0;

    bool of_a_publish() const noexcept { return class_id == 60 && method_id == 40; }
};

// The connection is gone, or is of no more use. What waited for a confirm may have arrived or not.
class ConnectionLost : public std::runtime_error {
  public:
    explicit ConnectionLost(const std::string &why, std::uint16_t with_code = 0)
        : std::runtime_error(why), code_(with_code) {}
    // Of the broker's connection.close; 0: it came without one.
    std::uint16_t code() const noexcept { return code_; }

  private:
    std::uint16_t code_;
};

// The broker closed the channel; the connection stays. What waited for a confirm may have arrived or not.
class ChannelClosed : public std::runtime_error {
  public:
    explicit ChannelClosed(Refusal refusal)
        : std::runtime_error(refusal.text), refusal_(std::move(refusal)) {}
    const Refusal &refusal() const noexcept { return refusal_; }

  private:
    Refusal refusal_;
};

enum class Blame {
    message, // it can never be taken: too large, a property that the broker does not accept
    route,   // the exchange is not there, or we may not write to it
    passing, // something inside the broker
};

// Whom a channel.close blames that a publish caused.
Blame blame_of(const Refusal &refusal) noexcept;

// The broker's words as one printable line of bounded length.
std::string one_line(std::string_view text);

// What to do about a refusal, as the end of a sentence: ": create the exchange …"; empty where we know nothing.
std::string_view remedy_for(const Refusal &refusal) noexcept;

} // namespace pgat::rabbitmq
