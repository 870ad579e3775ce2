// A Postgres server of the test's own: fresh, on a free port, in a temporary folder, gone with the object.
//
// The programs are those of $PGAT_TEST_POSTGRES_BIN, else of the newest Debian package. The server's time
// zone is an odd one on purpose. One thread at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "postgres/connection.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::support {

class Cluster {
  public:
    struct Options {
        std::map<std::string, std::string> settings; // postgresql.conf, over the defaults
        std::vector<std::string> hba;                // pg_hba.conf lines before "trust everybody"
        std::string encoding = "UTF8";
        bool fsync = false;
    };

    // What becomes of another server's files.
    enum class Copy {
        backup,  // a server of its own
        standby, // follows the original, until promote()
    };

    Cluster() : Cluster(Options{}) {}
    explicit Cluster(const Options &options);
    // A base backup of a running server, with settings of its own: it has no slots. `before_start` may change
    // files of the data folder.
    Cluster(Cluster &original, Copy as, const std::map<std::string, std::string> &settings = {},
            const std::function<void(const std::filesystem::path &data)> &before_start = {});
    Cluster(const Cluster &) = delete;
    Cluster &operator=(const Cluster &) = delete;

    // What programs of one test folder share: started at the first call, stopped at exit.
    static Cluster &shared();

    enum class Stop { fast, immediate };
    void stop(Stop how = Stop::fast);
    void start();
    void restart(Stop how = Stop::fast);
    // SIGKILL to the postmaster and all its processes; start() then goes through crash recovery.
    void kill();
    // Appends to the configuration; takes effect at the next start or reload.
    void set(const std::string &name, const std::string &value);
    void reload() const;
    // A standby becomes a primary, on a timeline of its own.
    void promote() const;

    std::uint16_t port() const noexcept { return port_; }
    pid_t postmaster() const { return server_->pid(); }
    const std::filesystem::path &folder() const noexcept { return folder_.path(); }
    std::string log() const;
    // Where this server's programs are.
    static std::filesystem::path bin();
    // A client program for it; the distribution's where the server came without. An older pg_dump than the
    // server refuses.
    static std::string client(const std::string &name);
    // 15, 16, …
    static int major_version();

    // A new, empty database; its name.
    std::string create_database();
    postgres::Keywords keywords(const std::string &database,
                                const std::string &user = "postgres") const;
    postgres::Connection connect(const std::string &database,
                                 const std::string &user = "postgres") const;

  private:
    // The postmaster; ends with its children, as after a crash.
    class Server : public Process {
      public:
        explicit Server(const Cluster &cluster);
        ~Server();
    };

    std::filesystem::path data() const { return folder() / "data"; }

    TemporaryFolder folder_{"cluster"};
    std::uint16_t port_ = 0;
    std::unique_ptr<Server> server_;
    int databases_ = 0;
};

// A TCP port that nobody listens on now.
std::uint16_t free_port();

} // namespace pgat::support
