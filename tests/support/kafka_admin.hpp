// Makes, changes and drops topics, and asks who leads them, through librdkafka's admin calls. Each call throws
// std::runtime_error if the brokers refuse.
#pragma once

#include <map>
#include <string>

namespace pgat::support::kafka_admin {

void create_topic(const std::string &brokers, const std::string &name, int partitions, int replicas,
                  const std::map<std::string, std::string> &settings);
void delete_topic(const std::string &brokers, const std::string &name);
void set(const std::string &brokers, const std::string &topic, const std::string &name,
         const std::string &value);
// -1: nobody, or the brokers do not answer.
int leader(const std::string &brokers, const std::string &topic, int partition);
// Whether so many brokers are there.
bool answers(const std::string &brokers, int count);

} // namespace pgat::support::kafka_admin
