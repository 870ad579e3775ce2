#include "support/rabbitmq_broker.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cluster.hpp"
#include "support/waiting.hpp"

namespace pgat::support {

namespace fs = std::filesystem;

namespace {

constexpr const char *node = "pgat@localhost";
constexpr const char *cookie = "throwaway";
constexpr auto npos = std::string::npos;

bool takes_connections(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool taken =
        ::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0;
    ::close(fd);
    return taken;
}

void give_to_broker(const fs::path &path) {
    if (const auto account = unprivileged_account())
        if (::chown(path.c_str(), account->user, account->group) != 0)
            throw std::runtime_error("chown failed: " + path.string());
}

std::string text_of(const fs::path &file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

} // namespace

RabbitmqBroker::RabbitmqBroker()
    : port_(free_port()), tls_port_(free_port()), distribution_port_(free_port()),
      port_mapper_port_(free_port()) {
    const auto at = [&](const char *name) { return (folder_.path() / name).string(); };
    environment_.environment = {
        {"ERL_EPMD_PORT", std::to_string(port_mapper_port_)},
        {"ERL_EPMD_ADDRESS", "127.0.0.1"},
        {"HOME", folder_.path()},
        {"RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")},
        {"RABBITMQ_CONF_ENV_FILE", "/dev/null"},
        {"RABBITMQ_DIST_PORT", std::to_string(distribution_port_)},
        {"RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins")},
        {"RABBITMQ_GENERATED_CONFIG_DIR", at("generated")},
        {"RABBITMQ_LOG_BASE", at("log")},
        {"RABBITMQ_MNESIA_BASE", at("data")},
        {"RABBITMQ_NODENAME", node},
        {"RUNNING_UNDER_SYSTEMD",
         "true"}, // the script then becomes the broker, with no shell between
        // Time goes to busy waiting and to one scheduler a core otherwise, which the tests share.
        {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +S 2:2"},
    };
    environment_.directory = "/";
    environment_.as_postgres = true;
    write_configuration();
    port_mapper_ = std::make_unique<Process>(
        std::vector<std::string>{"epmd", "-port", std::to_string(port_mapper_port_), "-address",
                                 "127.0.0.1"},
        environment_);
    if (!eventually([&] { return takes_connections(port_mapper_port_); }))
        throw std::runtime_error("epmd does not start: " + port_mapper_->err());
    start();
}

RabbitmqBroker::~RabbitmqBroker() {
    if (broker_ && broker_->running()) kill();
}

void RabbitmqBroker::write_configuration() const {
    const auto at = [&](const char *name) { return folder_.path() / name; };
    std::ofstream(at("rabbitmq.conf")) << fmt::format(
        "listeners.tcp.1 = 127.0.0.1:{}\n"
        "listeners.ssl.1 = 127.0.0.1:{}\n"
        "ssl_options.cacertfile = {}\n"
        "ssl_options.certfile = {}\n"
        "ssl_options.keyfile = {}\n"
        "ssl_options.verify = verify_peer\n"
        "ssl_options.fail_if_no_peer_cert = false\n"
        "ssl_cert_login_from = common_name\n"
        "auth_mechanisms.1 = PLAIN\n"
        "auth_mechanisms.2 = EXTERNAL\n"
        "max_message_size = {}\n"
        "disk_free_limit.absolute = 1MB\n"
        "load_definitions = {}\n",
        port_, tls_port_, at("certificate.pem").string(), at("certificate.pem").string(),
        at("key.pem").string(), max_message_size, at("definitions.json").string());
    std::ofstream(at("enabled_plugins")) << "[rabbitmq_auth_mechanism_ssl].\n";
    std::ofstream(at("definitions.json")) << R"({
 "vhosts": [{"name": "/"}, {"name": "other"}],
 "users": [{"name": "guest", "password": "guest", "tags": "administrator"},
           {"name": "reader", "password": "reader", "tags": ""},
           {"name": "localhost", "password": "", "tags": ""}],
 "permissions": [
  {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "guest", "vhost": "other", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "reader", "vhost": "/", "configure": "", "write": "", "read": ".*"},
  {"user": "localhost", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
 "policies": [{"vhost": "/", "name": "full", "pattern": "^full", "apply-to": "queues",
               "definition": {"max-length": 1, "overflow": "reject-publish"}}]
})";
    std::ofstream(at(".erlang.cookie")) << cookie;
    fs::permissions(at(".erlang.cookie"), fs::perms::owner_read);
    fs::copy_file(certificate_.certificate_file(), at("certificate.pem"));
    fs::copy_file(certificate_.key_file(), at("key.pem"));
    for (const auto &entry : fs::directory_iterator(folder_.path()))
        give_to_broker(entry.path());
    give_to_broker(folder_.path());
}

void RabbitmqBroker::start() {
    broker_ = std::make_unique<Process>(
        std::vector<std::string>{"/usr/lib/rabbitmq/bin/rabbitmq-server"}, environment_);
    const bool up = eventually(
        [&] {
            if (!broker_->running()) return true;
            return takes_connections(port_) && takes_connections(tls_port_);
        },
        std::chrono::seconds(120));
    if (!up || !broker_->running())
        throw std::runtime_error("the broker does not start: " + broker_->out() + broker_->err() +
                                 log());
}

void RabbitmqBroker::kill() {
    broker_->signal(SIGKILL);
    broker_->wait();
    broker_->wait_for_end_of_output(); // its port programs are gone too
}

std::string RabbitmqBroker::uri(std::uint16_t port) const {
    return fmt::format("amqp://guest:guest@127.0.0.1:{}/", port == 0 ? port_ : port);
}

void RabbitmqBroker::fill_disk() const {
    evaluate("rabbit_disk_monitor:set_disk_free_limit(\"1000000GB\")");
    if (!eventually([&] { return evaluate("rabbit_alarm:get_alarms()").find("disk") != npos; }))
        throw std::runtime_error("the broker does not mind a full disk");
}

void RabbitmqBroker::free_disk() const {
    evaluate("rabbit_disk_monitor:set_disk_free_limit(\"1MB\")");
    if (!eventually([&] { return evaluate("rabbit_alarm:get_alarms()").find("disk") == npos; }))
        throw std::runtime_error("the broker does not see that its disk is free again");
}

std::string RabbitmqBroker::evaluate(const std::string &expression) const {
    const auto file = folder_.path() / "expression";
    std::ofstream(file) << expression << ".\n";
    const auto done =
        run({"sh", "-c",
             fmt::format("exec erl_call -sname {} -c {} -e < {}", node, cookie, file.string())},
            {.environment = environment_.environment, .directory = "/"});
    if (done.status != 0)
        throw std::runtime_error("erl_call: " + done.out + done.err + " for " + expression);
    return done.out;
}

std::string RabbitmqBroker::log() const {
    return text_of(folder_.path() / "log" / (std::string(node) + ".log"));
}

} // namespace pgat::support
