#include "kafka/topics.hpp"

#include <algorithm>

#include "kafka/meaning.hpp"

namespace pgat::kafka {

namespace {

using std::chrono::milliseconds;
using Clock = Topics::Clock;

// A request is waited for so long at most, as nothing else can end the wait.
constexpr milliseconds longest_request{500};
// Brokers that make a topic on the first question say so a little later.
constexpr milliseconds time_to_be_made{3000};
constexpr milliseconds between_questions{100};
// So long a topic that did not exist is not asked for again, and one that did is not asked how large it is.
constexpr std::chrono::seconds remembered_unknown{10};
constexpr std::chrono::minutes remembered_known{5};
constexpr std::size_t most_unknown = 1000;

} // namespace

Topics::Found Topics::find(std::string_view name, milliseconds limit,
                           const std::function<bool()> &stop) {
    const Clock::time_point begin = Clock::now();
    const auto known = known_.find(name);
    if (known != known_.end() && begin - known->second.seen < remembered_known)
        return {Answer::known, &known->second, {}};
    const auto missing = unknown_.find(name);
    if (missing != unknown_.end() && begin < missing->second)
        return {Answer::unknown, nullptr, "there is no topic " + std::string(name)};

    Topic topic;
    if (known == known_.end()) topic.handle = producer_.topic(std::string(name));
    rd_kafka_topic_t *const handle =
        known == known_.end() ? topic.handle.get() : known->second.handle.get();
    const Clock::time_point give_up = begin + limit;
    std::optional<Clock::time_point> first_unknown;
    while (true) {
        if (stop()) return {Answer::stopped, nullptr, {}};
        const auto left = std::chrono::ceil<milliseconds>(give_up - Clock::now());
        rd_kafka_resp_err_t error{};
        const Metadata metadata =
            producer_.metadata(handle, std::clamp(left, milliseconds(1), longest_request), error);
        producer_.poll();
        std::string why = error != RD_KAFKA_RESP_ERR_NO_ERROR ? text_of(error) : "";
        if (metadata && metadata->topic_cnt > 0) {
            const rd_kafka_metadata_topic_t &answer = metadata->topics[0];
            if (answer.partition_cnt > 0) {
                Topic &kept = known == known_.end()
                                  ? known_.emplace(name, std::move(topic)).first->second
                                  : known->second;
                const auto count = static_cast<std::size_t>(answer.partition_cnt);
                // Where it was gone meanwhile, or has grown, nothing is known of its partitions.
                if (kept.partitions.size() != count || kept.seen == Clock::time_point()) {
                    kept.partitions.clear();
                    while (kept.partitions.size() < count)
                        kept.partitions.push_back(std::make_shared<Partition>());
                }
                kept.seen = Clock::now();
                return {Answer::known, &kept, {}};
            }
            why = text_of(answer.err);
            if (meaning_of(answer.err) == Meaning::unknown_topic ||
                answer.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                if (!first_unknown) first_unknown = Clock::now();
                if (Clock::now() - *first_unknown >= time_to_be_made) {
                    if (unknown_.size() >= most_unknown) unknown_.clear();
                    unknown_[std::string(name)] = Clock::now() + remembered_unknown;
                    known_.erase(std::string(name));
                    return {Answer::unknown, nullptr,
                            "there is no topic " + std::string(name) +
                                ", and the brokers do not make it by themselves"};
                }
            }
        }
        if (!first_unknown && Clock::now() >= give_up) {
            // Rather an old answer than none: what is under way there may still arrive.
            if (known != known_.end()) return {Answer::known, &known->second, {}};
            return {Answer::unreachable, nullptr,
                    "the brokers say nothing of topic " + std::string(name) + ": " + why};
        }
        producer_.wait(-1, between_questions);
    }
}

void Topics::forget(std::string_view name) {
    const auto known = known_.find(name);
    if (known != known_.end()) known->second.seen = {};
    const auto unknown = unknown_.find(name);
    if (unknown != unknown_.end()) unknown_.erase(unknown);
}

std::string Topics::complaint(std::string_view name, milliseconds limit) {
    const auto known = known_.find(name);
    if (known == known_.end()) return {};
    rd_kafka_resp_err_t error{};
    const Metadata metadata =
        producer_.metadata(known->second.handle.get(), std::min(limit, longest_request), error);
    if (!metadata || metadata->topic_cnt == 0) return {};
    const rd_kafka_metadata_topic_t &topic = metadata->topics[0];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return "topic " + std::string(name) + ": " + text_of(topic.err);
    for (int i = 0; i < topic.partition_cnt; ++i) {
        const rd_kafka_metadata_partition_t &partition = topic.partitions[i];
        const std::string where = "partition " + std::to_string(partition.id) + " of topic " +
                                  std::string(name) + " has ";
        if (partition.leader < 0) return where + "no leader";
        if (partition.isr_cnt < partition.replica_cnt)
            return where + "only " + std::to_string(partition.isr_cnt) + " of its " +
                   std::to_string(partition.replica_cnt) + " replicas in sync";
    }
    return {};
}

} // namespace pgat::kafka
