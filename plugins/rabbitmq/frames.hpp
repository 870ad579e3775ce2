// AMQP's frames as bytes, by rabbitmq-c's coders. No I/O: rabbitmq-c's own sockets wait without asking whether
// the call was cancelled, so here the library reads and writes memory, and link.hpp has the socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <amqp.h>
#include <amqp_framing.h>

namespace pgat::rabbitmq {

inline amqp_bytes_t to_amqp(std::string_view text) noexcept {
    return {text.size(), const_cast<char *>(text.data())};
}
inline std::string_view to_view(amqp_bytes_t bytes) noexcept {
    return {static_cast<const char *>(bytes.bytes), bytes.len};
}

class FrameReader {
  public:
    FrameReader();

    // Takes the next frame off the front of `bytes`. False: there is no whole one yet, and what there was is
    // kept. The frame is good until the next call. Throws ConnectionLost if this is not AMQP.
    bool next(std::string_view &bytes, amqp_frame_t &frame);
    // What both sides agreed on; call it between frames.
    void tune(std::uint16_t channel_max, std::uint32_t frame_max);

  private:
    struct Deleter {
        void operator()(amqp_connection_state_t state) const noexcept {
            amqp_destroy_connection(state);
        }
    };
    std::unique_ptr<amqp_connection_state_t_, Deleter> state_;
};

class FrameWriter {
  public:
    // Largest frame that the other side takes.
    std::uint32_t frame_max() const noexcept { return static_cast<std::uint32_t>(scratch_.size()); }
    void tune(std::uint32_t frame_max) { scratch_.resize(frame_max); }

    // Each appends one frame, the last one as many as the body takes. `method` is of the type that the number
    // says. False: it does not fit into a frame, and `out` is as before.
    bool method(std::string &out, std::uint16_t channel, amqp_method_number_t number,
                const void *method);
    bool header(std::string &out, std::uint16_t channel, std::uint64_t body_size,
                const amqp_basic_properties_t &properties);
    void body(std::string &out, std::uint16_t channel, std::string_view bytes) const;
    static void heartbeat(std::string &out);

  private:
    std::vector<char> scratch_ = std::vector<char>(65536);
};

} // namespace pgat::rabbitmq
