// A kafka sink in front of brokers of the test's own, and what arrived there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "plugins/sink_under_test.hpp"
#include "support/kafka_cluster.hpp"
#include "support/waiting.hpp"

namespace pgat::test {

using nlohmann::json;
using support::KafkaCluster;
using support::KafkaRecord;

// For tests of what the mock cluster does not do.
#define PGAT_NEEDS_REAL_KAFKA()                                                                    \
    if (!KafkaCluster::real()) GTEST_SKIP() << "librdkafka's mock cluster cannot do this"

inline std::vector<std::string> values(const std::vector<KafkaRecord> &records) {
    std::vector<std::string> all;
    for (const auto &record : records)
        all.push_back(record.value);
    return all;
}

// {"n":first} … {"n":last}, as Events::fill makes them.
inline std::vector<std::string> filled(int first, int last) {
    std::vector<std::string> all;
    for (int n = first; n <= last; ++n)
        all.push_back("{\"n\":" + std::to_string(n) + "}");
    return all;
}

// A name that no other test of the program uses.
inline std::string new_topic(KafkaCluster &kafka, int partitions = 1, int replicas = 1,
                             const KafkaCluster::Settings &settings = {}) {
    static int number = 0;
    std::string name = "topic-" + std::to_string(++number);
    kafka.create_topic(name, partitions, replicas, settings);
    return name;
}

// The numbers of each key's first arrivals: each must be ascending, and together they are all.
inline void expect_each_key_in_order(const std::vector<KafkaRecord> &records, int count) {
    std::map<std::string, int> last;
    std::set<int> seen;
    for (const auto &record : records) {
        const int n = json::parse(record.value).at("n").get<int>();
        if (!seen.insert(n).second) continue;
        int &before = last[record.key.value_or("")];
        EXPECT_LT(before, n) << "of key " << record.key.value_or("");
        before = n;
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
}

// Arrivals that are repeats of one before, of the same id.
inline std::size_t repeats(const std::vector<KafkaRecord> &records) {
    std::set<std::string> ids;
    for (const auto &record : records)
        ids.insert(record.headers);
    return records.size() - ids.size();
}

} // namespace pgat::test
