// The way of somebody who writes a sink: from the installed files to a daemon that delivers with it.
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/daemon.hpp"
#include "support/line_receiver.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

namespace fs = std::filesystem;
using support::eventually;
using support::Process;

const std::string warnings = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror";

std::string required(const char *variable) {
    const char *const value = std::getenv(variable);
    if (value == nullptr) throw std::runtime_error(std::string(variable) + " is not set");
    return value;
}

std::string content(const fs::path &file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

// Runs it as a person would, in the folder.
void shell(const std::string &command, const fs::path &folder) {
    const auto done =
        support::run({"sh", "-c", command}, {.environment = {}, .directory = folder.string()},
                     std::chrono::seconds(120));
    ASSERT_EQ(done.status, 0) << command << "\n" << done.out << done.err;
}

// Installed once, away from this tree.
const fs::path &prefix() {
    static const support::TemporaryFolder folder("installed");
    static const fs::path installed = [] {
        shell(required("PGAT_SOURCE_DIR") + "/tests/abi/install " + required("PGAT_BUILD_DIR") +
                  " " + (folder.path() / "usr").string(),
              folder.path());
        return folder.path() / "usr";
    }();
    return installed;
}

class Template : public testing::Test {
  protected:
    const support::TemporaryFolder folder{"template"};

    void copy(const std::string &language) const {
        fs::copy(prefix() / "share/postgres-async-triggers/template" / language,
                 folder.path() / "mine", fs::copy_options::recursive);
    }
    void build_with_cmake() const {
        shell("cmake -S mine -B build -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_PREFIX_PATH=" +
                  prefix().string() + " -DCMAKE_C_FLAGS='" + warnings + "' -DCMAKE_CXX_FLAGS='" +
                  warnings + "' && cmake --build build",
              folder.path());
    }
    void build_with_pkg_config(const std::string &compiler, const std::string &source,
                               const std::string &type) const {
        shell("export PKG_CONFIG_PATH=" + prefix().string() +
                  "/share/pkgconfig; mkdir -p build/plugins; " + compiler + " " + warnings +
                  " -shared -fPIC $(pkg-config --cflags pgat-plugin) mine/" + source +
                  " -o build/plugins/" + type + ".so $(pkg-config --libs pgat-plugin)",
              folder.path());
    }
    // It keeps all the rules that `plugins check` can try. The kit wants daemon and plugin built alike, and
    // this plugin is built as its author would: without sanitizers.
    void expect_to_pass_the_check([[maybe_unused]] const std::string &type,
                                  [[maybe_unused]] const std::string &settings) const {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        std::ofstream(folder.path() / "test.yaml") << settings;
        shell((prefix() / "bin/postgres-async-triggers").string() +
                  " plugins check build/plugins/" + type +
                  ".so --config test.yaml --require-delivery",
              folder.path());
#endif
    }
    std::string a_file() const { return "path: " + (folder.path() / "checked").string(); }
    // The installed daemon finds it, and all that happens arrives in the file.
    void expect_delivery(const std::string &type) const {
        const auto plugins = folder.path() / "build/plugins";
        const std::string daemon = (prefix() / "bin/postgres-async-triggers").string();
        const auto listed =
            support::run({daemon, "plugins"},
                         {.environment = {{"ASYNC_TRIGGERS_PLUGINS__DIRECTORY", plugins.string()}},
                          .directory = folder.path().string()});
        EXPECT_EQ(listed.status, 0) << listed.err;
        EXPECT_NE(listed.out.find(type + " "), std::string::npos) << listed.out;
        EXPECT_NE(listed.out.find("appends events to a file"), std::string::npos) << listed.out;

        support::Site site(support::Cluster::shared());
        site.subscribe_to_items();
        const auto file = folder.path() / "events.ndjson";
        const auto configuration =
            site.configure("  type: " + type + "\n  path: " + file.string() +
                           "\nplugins:\n  directory: " + plugins.string() + "\n");
        Process running({daemon, "--config", configuration.string(), "run"});
        ASSERT_TRUE(running.wait_for_err("streaming")) << running.err();
        site.insert_items(1, 5);
        site.insert_items(6, 9);
        EXPECT_TRUE(eventually([&] {
            return support::item_ids(content(file)) == support::numbers(1, 9);
        })) << content(file)
            << running.err();
        expect_an_id_a_line(content(file));
        running.signal(SIGTERM);
        EXPECT_EQ(running.wait(), 0) << running.err();
    }
    // Each line is a JSON object with the event's own id, by which a reader drops repeats.
    static void expect_an_id_a_line(const std::string &lines) {
        std::set<std::string> ids;
        std::istringstream text(lines);
        for (std::string line; std::getline(text, line);) {
            const auto event = nlohmann::json::parse(line);
            EXPECT_TRUE(ids.insert(event.at("id").get<std::string>()).second) << line;
            EXPECT_TRUE(event.at("payload").is_object()) << line;
        }
    }
};

TEST_F(Template, InCppBuildsWithCMakeAndDelivers) {
    copy("cpp");
    build_with_cmake();
    expect_to_pass_the_check("ndjson", a_file());
    expect_delivery("ndjson");
}

TEST_F(Template, InCBuildsWithCMakeAndDelivers) {
    copy("c");
    build_with_cmake();
    expect_to_pass_the_check("ndjson_c", a_file());
    expect_delivery("ndjson_c");
}

TEST_F(Template, InCppBuildsWithPkgConfigAloneAndDelivers) {
    copy("cpp");
    build_with_pkg_config("c++ -std=c++20", "ndjson.cpp", "ndjson");
    expect_delivery("ndjson");
}

TEST_F(Template, InCBuildsWithPkgConfigAloneAndDelivers) {
    copy("c");
    build_with_pkg_config("cc -std=c11", "ndjson_c.c", "ndjson_c");
    expect_delivery("ndjson_c");
}

// Through the receiver's absence too, in order, and what it took is not sent again.
TEST_F(Template, ForTheNetworkBuildsWithCMakeAndDelivers) {
    copy("socket");
    build_with_cmake();
    support::LineReceiver checked;
    expect_to_pass_the_check("tcp_lines",
                             "host: 127.0.0.1\nport: " + std::to_string(checked.port()));

    support::LineReceiver receiver;
    support::Site site(support::Cluster::shared());
    site.subscribe_to_items();
    const auto configuration = site.configure(
        "  type: tcp_lines\n  host: 127.0.0.1\n  port: " + std::to_string(receiver.port()) +
            "\n  timeout_ms: 300\nplugins:\n  directory: " +
            (folder.path() / "build/plugins").string() + "\n",
        "  retry: {attempts: 2, initial_backoff_ms: 10, max_backoff_ms: 100}\n");
    Process running({(prefix() / "bin/postgres-async-triggers").string(), "--config",
                     configuration.string(), "run"});
    ASSERT_TRUE(running.wait_for_err("streaming")) << running.err();
    const auto has = [&](std::int64_t last) {
        return eventually(
            [&] { return support::item_ids(receiver.lines()) == support::numbers(1, last); });
    };
    site.insert_items(1, 5);
    EXPECT_TRUE(has(5)) << receiver.lines() << running.err();
    receiver.go_away();
    site.insert_items(6, 9);
    EXPECT_TRUE(running.wait_for_err("failover")) << running.err();
    receiver.come_back();
    EXPECT_TRUE(has(9)) << receiver.lines() << running.err();
    // What it refuses is a dead letter.
    receiver.answer_with("no");
    site.insert_items(10, 10);
    EXPECT_TRUE(running.wait_for_err("answers: no")) << running.err();
    expect_an_id_a_line(receiver.lines());
    // What it does not answer is an outage, and comes again.
    receiver.answer_with("");
    site.insert_items(11, 11);
    EXPECT_TRUE(running.wait_for_err("no answer")) << running.err();
    receiver.answer_with("ok");
    site.insert_items(12, 12);
    EXPECT_TRUE(eventually([&] {
        const auto ids = support::item_ids(receiver.lines());
        return ids.back() == 12 && support::once_each(ids) == support::numbers(1, 12);
    })) << receiver.lines()
        << running.err();
    running.signal(SIGTERM);
    EXPECT_EQ(running.wait(), 0) << running.err();
}

// With the daemon's own prefix nothing needs to be configured. The name is given as plugin-api/README.md says.
TEST_F(Template, UnderANameOfItsOwnInstalledBesideTheDaemonIsFoundByIt) {
    copy("c");
    shell("cd mine && mv ndjson_c.c mysink.c && sed -i s/ndjson_c/mysink/g CMakeLists.txt mysink.c",
          folder.path());
    build_with_cmake();
    EXPECT_NE(content(folder.path() / "build/CMakeCache.txt").find("CMAKE_BUILD_TYPE:STRING=\n"),
              std::string::npos); // or the next says nothing
    EXPECT_NE(content(folder.path() / "build/compile_commands.json").find(" -O2 "),
              std::string::npos);
    shell("cmake --install build", folder.path());
    const auto listed =
        support::run({(prefix() / "bin/postgres-async-triggers").string(), "plugins"},
                     {.environment = {}, .directory = folder.path().string()});
    EXPECT_NE(listed.out.find("lib/postgres-async-triggers/plugins/mysink.so"), std::string::npos)
        << listed.out << listed.err;
    EXPECT_NE(listed.out.find("lib/postgres-async-triggers/plugins/memory.so"), std::string::npos)
        << listed.out;
}

// A full disk is an outage: everything comes once it is over, and nothing twice.
TEST_F(Template, WithoutRoomOnItsDiskLosesAndRepeatsNothing) {
    for (const std::string language : {"c", "cpp"}) {
        fs::remove_all(folder.path() / "mine");
        fs::remove_all(folder.path() / "build");
        copy(language);
        build_with_cmake();
        const std::string type = language == "c" ? "ndjson_c" : "ndjson";
        support::Site site(support::Cluster::shared());
        site.subscribe_to_items();
        const auto file = folder.path() / (type + ".ndjson");
        const auto configuration = site.configure(
            "  type: " + type + "\n  path: " + file.string() +
                "\nplugins:\n  directory: " + (folder.path() / "build/plugins").string() + "\n",
            "  retry: {attempts: 2, initial_backoff_ms: 10, max_backoff_ms: 100}\n");
        // First with room for few events, and for a part of one more.
        const std::string daemon = (prefix() / "bin/postgres-async-triggers").string();
        {
            Process running(
                {"prlimit", "--fsize=500", daemon, "--config", configuration.string(), "run"});
            ASSERT_TRUE(running.wait_for_err("streaming")) << running.err();
            site.insert_items(1, 1);
            EXPECT_TRUE(eventually([&] {
                return support::item_ids(content(file)) == support::numbers(1, 1);
            })) << running.err();
            site.insert_items(2, 9);
            EXPECT_TRUE(running.wait_for_err("failover")) << running.err();
            running.signal(SIGTERM);
            EXPECT_EQ(running.wait(), 0) << running.err();
        }
        const std::string before = content(file);
        const auto items = static_cast<std::int64_t>(support::item_ids(before).size());
        EXPECT_LT(items, 9);
        EXPECT_EQ(support::item_ids(before), support::numbers(1, items));
        EXPECT_EQ(before.back(), '\n') << before;
        Process running({daemon, "--config", configuration.string(), "run"});
        EXPECT_TRUE(eventually([&] {
            return support::item_ids(content(file)) == support::numbers(1, 9);
        })) << content(file)
            << running.err();
        running.signal(SIGTERM);
        EXPECT_EQ(running.wait(), 0);
    }
}

} // namespace
} // namespace pgat
