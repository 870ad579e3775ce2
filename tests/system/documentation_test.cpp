// What the documentation shows works as it stands: every SQL block is run, every YAML block is loaded, every
// shell command is one that a test or ./quickstart runs too.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/load.hpp"
#include "outbox/migrations.hpp"
#include "support/cluster.hpp"
#include "support/temporary_folder.hpp"

namespace pgat {
namespace {

namespace fs = std::filesystem;

struct Block {
    std::string language;
    std::string text;
};

fs::path source() {
    const char *const folder = std::getenv("PGAT_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    return folder == nullptr ? fs::path(".") : fs::path(folder);
}

// The fenced blocks of a page, in their order.
std::vector<Block> blocks(const std::string &page) {
    std::ifstream file(source() / page);
    std::vector<Block> found;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("```")) {
            inside = !inside;
            if (inside) found.push_back({line.substr(3), ""});
        } else if (inside) {
            found.back().text += line + "\n";
        }
    }
    return found;
}

std::vector<std::string> blocks(const std::string &page, const std::string &language) {
    std::vector<std::string> texts;
    for (const auto &block : blocks(page))
        if (block.language == language) texts.push_back(block.text);
    return texts;
}

std::string replaced(std::string text, const std::string &what, const std::string &by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

// Pages that are read from the top by somebody who types along, in one database.
class Documentation : public testing::Test {
  protected:
    static void run_sql(postgres::Connection &connection, const std::string &database,
                        const std::string &page) {
        const auto statements = blocks(page, "sql");
        EXPECT_FALSE(statements.empty()) << page << " has no SQL to try";
        for (const auto &text : statements) {
            try {
                connection.exec(replaced(text, "database mydb", "database " + database));
            } catch (const Error &error) {
                ADD_FAILURE() << page << ":\n" << text << "\n" << error.text();
            }
        }
    }
};

TEST_F(Documentation, ShowsSqlThatRuns) {
    auto &cluster = support::Cluster::shared();
    const auto database = cluster.create_database();
    auto connection = cluster.connect(database);
    outbox::migrate(connection);
    connection.exec("create table public.users (id bigint generated always as identity primary key,"
                    " email text, email_verified boolean)");
    for (const auto *page : {"README.md", "docs/subscriptions.md", "docs/managed-postgres.md",
                             "docs/operations.md", "docs/postgres-failover.md"})
        run_sql(connection, database, page);
    const auto payloads =
        connection.exec("select payload->>'tg_name' from async_triggers.events order by id");
    ASSERT_GE(payloads.rows(), 1);
    EXPECT_EQ(payloads.text(0, 0), "user-signup");
}

TEST_F(Documentation, ShowsConfigurationThatLoads) {
    const support::TemporaryFolder temporary("docs");
    const auto &folder = temporary.path();
    std::ofstream(folder / "hook") << "whsec_c2VjcmV0\n";
    const config::Environment environment(config::Environment::Variables{{"HOOK_TOKEN", "token"}});
    int loaded = 0;
    for (const auto *page : {"README.md", "plugins/memory/README.md", "plugins/http/README.md"})
        for (const auto &text : blocks(page, "yaml")) {
            const auto file = folder / "config.yaml";
            std::ofstream(file) << replaced(text, "/run/secrets", folder.string());
            try {
                config::load(file, environment);
                ++loaded;
            } catch (const Error &error) {
                ADD_FAILURE() << page << ":\n" << text << "\n" << error.text();
            }
        }
    EXPECT_GE(loaded, 3);
}

TEST_F(Documentation, ShowsNoCommandThatNothingRuns) {
    const std::set<std::string> run_elsewhere = {
        "./quickstart",                                                           // tests/run
        "tests/run",                                                              // .ci/run
        "cmake --preset release && cmake --build --preset release",               // quickstart
        "build/release/bin/postgres-async-triggers --config config.yaml",         // quickstart
        "build/release/bin/postgres-async-triggers --config config.yaml migrate", // quickstart
        "build/release/bin/postgres-async-triggers --config config.yaml check",   // quickstart
        "postgres-async-triggers --config config.yaml",                           // quickstart
        "postgres-async-triggers replay --from 2026-11-26T13:00Z --to 2026-11-26T14:00Z "
        "--dry-run",                                                                // tests/cli
        "postgres-async-triggers replay --from 1042 --subscription user-signup",    // tests/cli
        "postgres-async-triggers dead-letters list",                                // tests/cli
        "postgres-async-triggers dead-letters retry 1042 1043",                     // tests/cli
        "postgres-async-triggers dead-letters retry --all",                         // tests/cli
        "postgres-async-triggers dead-letters discard 1042",                        // tests/cli
        "postgres-async-triggers status",                                           // tests/cli
        "postgres-async-triggers status --json",                                    // tests/cli
        "postgres-async-triggers check",                                            // tests/cli
        "postgres-async-triggers subscriptions apply subscriptions.yaml --dry-run", // tests/cli
        "postgres-async-triggers subscriptions apply subscriptions.yaml",           // tests/cli
        "postgres-async-triggers subscriptions list",                               // tests/cli
        "postgres-async-triggers subscriptions list --yaml > subscriptions.yaml",   // tests/cli
        "sudo systemctl enable --now postgres-async-triggers", // its unit: packaging/test
        "packaging/apt/install build server test",             // tests/run
        "cmake --preset dev",                                  // tests/run
        "cmake --build --preset dev",                          // tests/run
        "ctest --preset dev",                                  // tests/run
    };
    for (const auto *page :
         {"README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/redelivery.md",
          "docs/status.md", "docs/subscriptions.md", "docs/managed-postgres.md"})
        for (const auto &text : blocks(page, "sh")) {
            std::istringstream lines(text);
            for (std::string line; std::getline(lines, line);)
                EXPECT_TRUE(run_elsewhere.contains(line)) << page << " shows a command: " << line;
        }
}

TEST_F(Documentation, KnowsEveryFindingOfStatus) {
    const auto read = [](const fs::path &file) {
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    };
    const auto page = read(source() / "docs/status.md");
    int codes = 0;
    for (const auto *file : {"findings.cpp", "delivery_findings.cpp"}) {
        const auto code = read(source() / "core/outbox/report" / file);
        for (const std::string call : {"problem(", "notice("})
            for (auto at = code.find(call); at != std::string::npos; at = code.find(call, at + 1)) {
                const auto begin = code.find_first_not_of(" \n", at + call.size());
                if (begin == std::string::npos || code[begin] != '"') continue;
                const auto name = code.substr(begin + 1, code.find('"', begin + 1) - begin - 1);
                EXPECT_NE(page.find("`" + name + "`"), std::string::npos)
                    << "docs/status.md does not know " << name;
                ++codes;
            }
    }
    EXPECT_GT(codes, 15);
}

TEST_F(Documentation, LinksToFilesThatAreThere) {
    for (const auto *page :
         {"README.md", "CONTRIBUTING.md", "docs/README.md", "docs/concepts.md",
          "docs/subscriptions.md", "docs/operations.md", "docs/redelivery.md", "docs/status.md",
          "docs/postgres-failover.md", "docs/managed-postgres.md"}) {
        std::ifstream file(source() / page);
        std::stringstream text;
        text << file.rdbuf();
        const std::string all = text.str();
        for (auto at = all.find("]("); at != std::string::npos; at = all.find("](", at + 2)) {
            const auto target = all.substr(at + 2, all.find_first_of(")#", at) - at - 2);
            if (target.starts_with("http")) continue;
            EXPECT_TRUE(fs::exists(source() / fs::path(page).parent_path() / target))
                << page << " links to " << target;
        }
    }
}

} // namespace
} // namespace pgat
