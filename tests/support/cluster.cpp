#include "support/cluster.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/waiting.hpp"

namespace pgat::support {

namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path &path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

void must(const std::vector<std::string> &argv, bool as_postgres) {
    const auto finished =
        run(argv, {.environment = {}, .directory = "/", .as_postgres = as_postgres},
            std::chrono::seconds(120));
    if (finished.status != 0)
        throw std::runtime_error(fmt::format("{} ended with status {}: {}{}", argv[0],
                                             finished.status, finished.out, finished.err));
}

void give_to_servers(const fs::path &folder) {
    if (const auto account = unprivileged_account())
        if (::chown(folder.c_str(), account->user, account->group) != 0)
            throw std::runtime_error("chown failed: " + folder.string());
}

// Held by one process at a time, until the object goes.
class FileLock {
  public:
    explicit FileLock(const std::string &file)
        : fd_(::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
        if (fd_ >= 0 && ::flock(fd_, LOCK_EX) == 0) return;
        ::close(fd_);
        throw std::runtime_error("cannot lock " + file);
    }
    ~FileLock() { ::close(fd_); }
    FileLock(const FileLock &) = delete;
    FileLock &operator=(const FileLock &) = delete;

  private:
    int fd_;
};

// initdb takes seconds, a copy of its work a fraction of one: made once a build folder.
fs::path template_data(const std::string &encoding) {
    const char *const build = std::getenv("PGAT_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    if (build == nullptr)
        throw std::runtime_error(
            "run this through ctest, or name the build's folder in PGAT_BUILD_DIR");
    const fs::path keep = fs::absolute(build) / "tests" / "clusters";
    fs::create_directories(keep);
    // Only the user that it belongs to can start it.
    const auto account = unprivileged_account();
    const auto made = keep / fmt::format("{}-{}-{}", Cluster::major_version(), encoding,
                                         account ? account->user : ::geteuid());
    const FileLock lock(made.string() + ".lock");
    if (!fs::exists(made)) {
        const TemporaryFolder aside("cluster");
        give_to_servers(aside.path());
        must({Cluster::bin() / "initdb", "--no-sync", "-A", "trust", "-U", "postgres",
              "--no-locale", "-E", encoding, "-D", aside.path() / "data"},
             true);
        const auto half = made.string() + ".half";
        fs::remove_all(half);
        must({"cp", "-a", aside.path() / "data", half}, false);
        fs::rename(half, made);
    }
    return made;
}

// The state and the parent of a process out of /proc; nothing: there is none.
std::optional<std::pair<char, pid_t>> state_of(pid_t process) {
    const auto line = read_file(fmt::format("/proc/{}/stat", process));
    const auto after_name = line.rfind(')');
    if (after_name == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(after_name + 1));
    char state = 0;
    pid_t parent = 0;
    fields >> state >> parent;
    return std::pair(state, parent);
}

bool lives(pid_t process) {
    const auto state = state_of(process);
    return state && state->first != 'Z' && state->first != 'X';
}

std::vector<pid_t> processes_of(pid_t postmaster) {
    std::vector<pid_t> all;
    for (const auto &entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const pid_t process = std::stoi(name);
        if (const auto state = state_of(process); state && state->second == postmaster)
            all.push_back(process);
    }
    return all;
}

// Debian's newest.
fs::path distribution_bin() {
    std::vector<fs::path> versions;
    if (fs::exists("/usr/lib/postgresql"))
        for (const auto &entry : fs::directory_iterator("/usr/lib/postgresql"))
            if (fs::exists(entry.path() / "bin" / "initdb")) versions.push_back(entry.path());
    if (versions.empty())
        throw std::runtime_error("no Postgres server programs: install Debian's package "
                                 "postgresql, or name their folder in PGAT_TEST_POSTGRES_BIN");
    return *std::max_element(versions.begin(), versions.end()) / "bin";
}

} // namespace

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto *const generic = reinterpret_cast<sockaddr *>(&address);
    if (fd < 0 || ::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0)
        throw std::runtime_error("cannot find a free port");
    ::close(fd);
    return ntohs(address.sin_port);
}

fs::path Cluster::bin() {
    if (const char *given = std::getenv("PGAT_TEST_POSTGRES_BIN")) // NOLINT(concurrency-mt-unsafe)
        return given;
    return distribution_bin();
}

std::string Cluster::client(const std::string &name) {
    const auto own = bin() / name;
    return (fs::exists(own) ? own : distribution_bin() / name).string();
}

int Cluster::major_version() {
    static const int version = [] {
        // "postgres (PostgreSQL) 15.4 (Debian …)"
        const auto text = run({bin() / "postgres", "--version"}).out;
        return std::stoi(text.substr(text.find(')') + 1));
    }();
    return version;
}

Cluster &Cluster::shared() {
    static Cluster cluster;
    return cluster;
}

Cluster::Cluster(const Options &options) {
    give_to_servers(folder());
    must({"cp", "-a", template_data(options.encoding), data()}, false);
    port_ = free_port();
    {
        std::ofstream configuration(data() / "postgresql.conf", std::ios::app);
        configuration << "\nlisten_addresses = '127.0.0.1'\n"
                      << "port = " << port_ << "\n"
                      << "unix_socket_directories = '" << folder().string() << "'\n"
                      << "fsync = " << (options.fsync ? "on" : "off") << "\n"
                      << "wal_level = logical\nmax_wal_senders = 20\nmax_replication_slots = 20\n"
                      << "max_prepared_transactions = 50\nmax_connections = 150\n"
                      << "timezone = 'Pacific/Chatham'\nlog_timezone = 'UTC'\n"
                      << "log_min_messages = warning\n";
        for (const auto &[name, value] : options.settings)
            configuration << name << " = '" << value << "'\n";
        const auto trusting = read_file(data() / "pg_hba.conf");
        std::ofstream hba(data() / "pg_hba.conf");
        for (const auto &line : options.hba)
            hba << line << "\n";
        hba << trusting;
    }
    start();
}

Cluster::Cluster(Cluster &original, Copy as, const std::map<std::string, std::string> &settings,
                 const std::function<void(const fs::path &)> &before_start) {
    give_to_servers(folder());
    port_ = free_port();
    {
        auto session = original.connect("postgres");
        session.exec("SELECT pg_backup_start('copy', true)");
        // Files may go while they are copied: what counts is in the WAL, which is copied last.
        run({"cp", "-a", original.data(), data()});
        const auto stopped = session.exec("SELECT labelfile FROM pg_backup_stop(false)");
        // So may one that is about to become a segment; the segments themselves stay.
        for (int left = 5; run({"cp", "-a", original.data() / "pg_wal", data()}).status != 0;)
            if (--left == 0) throw std::runtime_error("the WAL cannot be copied");
        std::ofstream(data() / "backup_label") << stopped.text(0, 0);
        give_to_servers(data() / "backup_label");
        fs::remove(data() / "postmaster.pid");
    }
    for (const auto &slot : fs::directory_iterator(data() / "pg_replslot"))
        fs::remove_all(slot);
    {
        std::ofstream configuration(data() / "postgresql.conf", std::ios::app);
        configuration << "port = " << port_ << "\n"
                      << "unix_socket_directories = '" << folder().string() << "'\n";
        if (as == Copy::standby) {
            configuration << "primary_conninfo = 'host=127.0.0.1 port=" << original.port()
                          << " user=postgres dbname=postgres'\n";
            std::ofstream(data() / "standby.signal");
        }
        for (const auto &[name, value] : settings)
            configuration << name << " = '" << value << "'\n";
    }
    if (before_start) before_start(data());
    start();
}

Cluster::Server::Server(const Cluster &cluster)
    : Process({bin() / "postgres", "-D", cluster.data()},
              {.environment = {}, .directory = cluster.folder(), .as_postgres = true}) {}

Cluster::Server::~Server() {
    if (!running()) return;
    signal(SIGQUIT);
    wait(std::chrono::seconds(30));
}

void Cluster::start() {
    server_ = std::make_unique<Server>(*this);
    // The file of a postmaster that was killed is still there.
    const auto own = std::to_string(server_->pid()) + "\n";
    const auto ready = [this, &own] {
        if (!server_->running()) return true;
        const auto file = read_file(data() / "postmaster.pid");
        return file.starts_with(own) && file.find("ready") != std::string::npos;
    };
    const bool in_time = eventually(ready, std::chrono::seconds(60));
    if (in_time && server_->running()) return;
    if (in_time) server_->wait_for_end_of_output();
    throw std::runtime_error("Postgres did not start: " + log());
}

void Cluster::stop(Stop how) {
    server_->signal(how == Stop::fast ? SIGINT : SIGQUIT);
    if (!server_->wait(std::chrono::seconds(60)))
        throw std::runtime_error("Postgres did not stop: " + log());
}

void Cluster::kill() {
    const auto all = processes_of(server_->pid());
    server_->signal(SIGKILL);
    server_->wait();
    for (const auto process : all)
        ::kill(process, SIGKILL);
    if (!eventually([&] { return std::none_of(all.begin(), all.end(), lives); }))
        throw std::runtime_error("Postgres's processes do not end");
}

void Cluster::restart(Stop how) {
    stop(how);
    start();
}

void Cluster::set(const std::string &name, const std::string &value) {
    std::ofstream(data() / "postgresql.conf", std::ios::app) << name << " = '" << value << "'\n";
}

void Cluster::reload() const { server_->signal(SIGHUP); }

void Cluster::promote() const {
    if (!connect("postgres").exec("SELECT pg_promote()").boolean(0, 0))
        throw std::runtime_error("the standby was not promoted in time: " + log());
}

std::string Cluster::log() const { return server_->err(); }

std::string Cluster::create_database() {
    auto name = fmt::format("test_{}", ++databases_);
    connect("postgres").exec("CREATE DATABASE " + name);
    return name;
}

postgres::Keywords Cluster::keywords(const std::string &database, const std::string &user) const {
    return {{"host", "127.0.0.1"},
            {"port", std::to_string(port_)},
            {"dbname", database},
            {"user", user}};
}

postgres::Connection Cluster::connect(const std::string &database, const std::string &user) const {
    postgres::SessionOptions options;
    options.keywords = keywords(database, user);
    return postgres::Connection::open(options);
}

} // namespace pgat::support
