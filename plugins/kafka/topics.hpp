// The topics that a producer knows to exist. A name is looked up before the first message goes there, so that
// a topic that does not exist fails no message that is under way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kafka/flights.hpp"
#include "kafka/producer.hpp"

namespace pgat::kafka {

class Topics {
  public:
    using Clock = std::chrono::steady_clock;

    struct Topic {
        TopicHandle handle;
        std::vector<std::shared_ptr<Partition>> partitions;
        Clock::time_point seen;
        bool warned_of_order = false;
    };

    enum class Answer { known, unknown, unreachable, stopped };
    struct Found {
        Answer answer;
        Topic *topic; // where known
        std::string why;
    };

    explicit Topics(Producer &producer) : producer_(producer) {}

    // Asks the brokers where it must, for up to `limit`, and longer for a topic that is being made;
    // `stop` ends it within a second.
    Found find(std::string_view name, std::chrono::milliseconds limit,
               const std::function<bool()> &stop);
    // Asks again before the next message to that topic.
    void forget(std::string_view name);
    // What the brokers say is wrong with it, for a message; empty: nothing, or they do not answer.
    std::string complaint(std::string_view name, std::chrono::milliseconds limit);

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    Producer &producer_;
    std::unordered_map<std::string, Topic, Hash, std::equal_to<>> known_;
    std::unordered_map<std::string, Clock::time_point, Hash, std::equal_to<>>
        unknown_; // until then
};

} // namespace pgat::kafka
