// `plugins check` as the author of a sink meets it.
#include "cli/fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/http_receiver.hpp"

namespace pgat::cli {

namespace {

namespace fs = std::filesystem;

// The system accepts connections for it; nobody reads or answers.
class SilentListener {
  public:
    SilentListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto *const any = reinterpret_cast<sockaddr *>(&address);
        if (fd_ < 0 || ::bind(fd_, any, size) != 0 || ::listen(fd_, 1000) != 0 ||
            ::getsockname(fd_, any, &size) != 0)
            throw std::system_error(errno, std::generic_category(), "a socket");
        port_ = ntohs(address.sin_port);
    }
    ~SilentListener() { ::close(fd_); }
    SilentListener(const SilentListener &) = delete;
    SilentListener &operator=(const SilentListener &) = delete;

    std::uint16_t port() const noexcept { return port_; }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

class PluginCheck : public CliTest {
  protected:
    // A copy of a good plugin, in a folder that only we write to.
    std::string copy_of_good() const {
        const auto path = folder() / "good.so";
        fs::copy_file(built("zoo-unruly/good.so"), path);
        return path.string();
    }

    // The names of the checks with this result.
    static std::vector<std::string> with(const nlohmann::json &report, const std::string &result) {
        std::vector<std::string> names;
        for (const auto &check : report["checks"])
            if (check["result"] == result) names.push_back(check["check"]);
        return names;
    }

    static nlohmann::json of(const nlohmann::json &report, const std::string &name) {
        for (const auto &check : report["checks"])
            if (check["check"] == name) return check;
        return nullptr;
    }
};

using Names = std::vector<std::string>;

TEST_F(PluginCheck, PassesTheMemorySink) {
    const auto finished = run({"plugins", "check", built("plugins/memory.so"), "--json"});
    EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(report, "failed"), Names()) << finished.out;
    EXPECT_EQ(report["delivery_not_tried"], "");
    EXPECT_GT(report["ok"], 40);
}

TEST_F(PluginCheck, PassesTheHttpSinkAgainstAReceiver) {
    const support::HttpReceiver receiver;
    write("settings.yaml", "url: " + receiver.url("/hook?token=open-sesame") + "\n");
    const auto finished =
        run({"plugins", "check", built("plugins/http.so"), "--config", "settings.yaml", "--json"});
    EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(report, "failed"), Names()) << finished.out;
    EXPECT_EQ(of(report, "many-events")["result"], "ok");
    EXPECT_EQ(of(report, "secrets")["result"], "ok");
    EXPECT_GT(receiver.requests().size(), 1000U);
}

TEST_F(PluginCheck, PassesTheFileSink) {
    write("settings.yaml", "path: " + (folder() / "events.ndjson").string() + "\n");
    const auto finished =
        run({"plugins", "check", built("plugins/file.so"), "--config", "settings.yaml", "--json"});
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(report, "failed"), Names()) << finished.out;
    EXPECT_EQ(of(report, "many-events")["result"], "ok");
    EXPECT_GT(fs::file_size(folder() / "events.ndjson"), 16000000U); // one of 16 MB
}

TEST_F(PluginCheck, PassesASinkInC) {
    const auto finished = run({"plugins", "check", built("abi/plain.so"), "--json"});
    EXPECT_EQ(with(nlohmann::json::parse(finished.out), "failed"), Names()) << finished.out;
}

TEST_F(PluginCheck, SkipsDeliveryWhereTheReceiverIsNotThereAndSaysSo) {
    support::HttpReceiver receiver;
    const std::string url = receiver.url();
    receiver.stop();
    configure("sink: {type: http, url: \"" + url + "\"}\nstream: {slot_name: ignored here}");
    const std::vector<std::string> command = {"plugins", "check", built("plugins/http.so"),
                                              "--config", "config.yaml"};
    const auto finished = run(command);
    EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
    EXPECT_NE(finished.out.find("NOTHING WAS DELIVERED: its receiver is not there: "),
              std::string::npos)
        << finished.out;
    auto required = command;
    required.insert(required.end(), {"--require-delivery", "--json"});
    const auto failed = run(required);
    EXPECT_EQ(failed.status, 1);
    EXPECT_EQ(with(nlohmann::json::parse(failed.out), "failed"), (Names{"receiver", "one-event"}));
}

TEST_F(PluginCheck, SkipsWhatNeedsSettingsWithoutThem) {
    const auto finished = run({"plugins", "check", built("plugins/http.so"), "--json"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(of(report, "sink")["result"], "skipped");
    EXPECT_NE(of(report, "sink")["advice"].dump().find("--config FILE"), std::string::npos);
    EXPECT_EQ(of(report, "two-sinks")["because_of"], "sink");
    EXPECT_EQ(of(report, "bad-settings")["result"], "ok");
}

TEST_F(PluginCheck, FailsAFileThatIsCutShortWithoutLoadingIt) {
    const std::string file = copy_of_good();
    fs::resize_file(file, fs::file_size(file) / 2);
    const auto finished = run({"plugins", "check", file, "--json"});
    EXPECT_EQ(finished.status, 1);
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(report, "failed"), Names{"whole"});
    EXPECT_NE(of(report, "whole")["reason"].get<std::string>().find("truncated"),
              std::string::npos);
    EXPECT_EQ(with(report, "ok"), Names());
}

TEST_F(PluginCheck, DoesNotRunWhatAnybodyCouldHaveWritten) {
    const std::string file = copy_of_good();
    fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
    const auto finished = run({"plugins", "check", file, "--json"});
    EXPECT_EQ(finished.status, 1);
    const auto report = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(report, "failed"), Names{"trusted"});
    EXPECT_NE(of(report, "trusted")["reason"].get<std::string>().find("chmod o-w"),
              std::string::npos);
    EXPECT_EQ(of(report, "loads")["result"], "skipped");
}

TEST_F(PluginCheck, WarnsOfAFileThatAGroupMayWrite) {
    const std::string file = copy_of_good();
    fs::permissions(file, fs::perms::group_write, fs::perm_options::add);
    const auto finished = run({"plugins", "check", file});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_NE(finished.out.find("warning: the file"), std::string::npos) << finished.out;
}

TEST_F(PluginCheck, NamesWhatIsMissing) {
    const auto finished = run({"plugins", "check", built("zoo/needy.so")});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.out.find("libzoo_absent.so, which is not installed"), std::string::npos)
        << finished.out;
}

TEST_F(PluginCheck, SaysWhereACrashWas) {
    const auto finished =
        run({"plugins", "check", built("zoo-unruly/crashing.so"), "--only", "one-event", "--json"});
    EXPECT_EQ(finished.status, 1);
    const auto reason = of(nlohmann::json::parse(finished.out), "one-event")["reason"];
    EXPECT_TRUE(reason.get<std::string>().starts_with(
        "publish() of one event crashed: SIGSEGV at crashing.so+0x"))
        << reason;
}

TEST_F(PluginCheck, SaysWhoseMemoryWasTouched) {
    const auto reason_of = [&](const char *type, const char *check) {
        const auto finished = run(
            {"plugins", "check", built("zoo-unruly/") + type + ".so", "--only", check, "--json"});
        return of(nlohmann::json::parse(finished.out), check)["reason"].get<std::string>();
    };
    EXPECT_NE(reason_of("overreading", "bounds").find("beyond the end of an event's payload"),
              std::string::npos);
    EXPECT_NE(reason_of("late", "after-return").find("configuration after create() returned"),
              std::string::npos);
}

TEST_F(PluginCheck, RunsOnlyWhatItIsAskedForAndWhatThatStandsOn) {
    const std::string good = built("zoo-unruly/good.so");
    auto report =
        nlohmann::json::parse(run({"plugins", "check", good, "--only", "type,time", "--json"}).out);
    EXPECT_EQ(with(report, "ok"), (Names{"type", "cancelled-before", "cancelled-during", "deadline",
                                         "probe-deadline", "destroy"}));
    const auto crashing =
        run({"plugins", "check", built("zoo-unruly/exploding.so"), "--only", "version", "--json"});
    EXPECT_EQ(crashing.status, 1);
    report = nlohmann::json::parse(crashing.out);
    EXPECT_EQ(with(report, "failed"), Names{"loads"});
    EXPECT_EQ(with(report, "skipped"), Names{"version"});
}

TEST_F(PluginCheck, IsPlainInAPipe) {
    const auto finished = run({"plugins", "check", built("zoo-unruly/rambling.so")});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finished.out.find('\033'), std::string::npos);
    EXPECT_NE(
        finished.out.find("\n  FAIL    logs single lines of UTF-8  log-lines\n          a line "
                          "given to log() ends in a newline: \"made\"\n"),
        std::string::npos)
        << finished.out;
    EXPECT_TRUE(finished.out.ends_with(" skipped, 1 FAILED: log-lines\n")) << finished.out;
}

TEST_F(PluginCheck, RefusesArgumentsThatAreWrong) {
    const auto refused = [&](const std::vector<std::string> &more, const std::string &why) {
        std::vector<std::string> arguments = {"plugins", "check"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto finished = run(arguments);
        EXPECT_EQ(finished.status, 2) << why;
        EXPECT_NE(finished.err.find(why), std::string::npos) << finished.err;
    };
    const std::string good = built("zoo-unruly/good.so");
    refused({}, "FILE");
    refused({"nowhere/good.so"}, "there is no file nowhere/good.so");
    refused({good, "--only", "timing"}, "there is no check timing");
    refused({good, "--config", "missing.yaml"}, "missing.yaml");
    write("other.yaml", "sink: {type: http, url: x}");
    refused({good, "--config", "other.yaml"}, "sink.type is http, the plugin to check is good");
    write("list.yaml", "sink: [1]");
    refused({good, "--config", "list.yaml"}, "must be a map of keys");
}

TEST_F(PluginCheck, FailsSettingsThatDoNotFitTheSchemaAtTheirPlace) {
    write("wrong.yaml", "url: 7\ncompresion: gzip\n");
    const auto finished = run({"plugins", "check", built("plugins/http.so"), "--config",
                               "wrong.yaml", "--only", "sink", "--json"});
    EXPECT_EQ(finished.status, 1);
    const auto reason =
        of(nlohmann::json::parse(finished.out), "sink")["reason"].get<std::string>();
    EXPECT_NE(reason.find("wrong.yaml:2: sink.compresion: unknown key"), std::string::npos)
        << reason;
}

TEST_F(PluginCheck, FailsForWantOfAnyDeliveredEventWhereDeliveryIsRequired) {
    const support::HttpReceiver receiver;
    write("settings.yaml", "url: \"" + receiver.url("/") + "{/queue_name}\"\n");
    std::vector<std::string> command = {"plugins",  "check",         built("plugins/http.so"),
                                        "--config", "settings.yaml", "--only",
                                        "one-event"};
    const auto passed = run(command);
    EXPECT_EQ(passed.status, 0) << passed.out;
    EXPECT_NE(passed.out.find("NOTHING WAS DELIVERED: the event was rejected: "), std::string::npos)
        << passed.out;
    command.emplace_back("--require-delivery");
    const auto failed = run(command);
    EXPECT_EQ(failed.status, 1) << failed.out;
    EXPECT_NE(failed.out.find("the payload has no value at /queue_name"), std::string::npos)
        << failed.out;
    EXPECT_NE(failed.out.find("as {/kind} does"), std::string::npos) << failed.out;
    EXPECT_TRUE(receiver.requests().empty());

    write("settings.yaml", "url: \"" + receiver.url("/") + "{/kind}\"\n");
    const auto delivered = run(command);
    EXPECT_EQ(delivered.status, 0) << delivered.out;
    ASSERT_EQ(receiver.requests().size(), 1U);
    EXPECT_EQ(receiver.requests().front().target, "/conformance");
}

TEST_F(PluginCheck, ShowsNoSecretOfTheSettingsWhateverThePluginSays) {
    write("settings.yaml", "password: \"hunter2 redis\"\nurl: \"redis://:s%40lt@h/?token=pep\"\n");
    for (const char *type : {"tattling", "quoting"}) {
        for (const bool json : {false, true}) {
            std::vector<std::string> command = {"plugins", "check",
                                                built("zoo-unruly/") + type + ".so", "--config",
                                                "settings.yaml"};
            if (json) command.emplace_back("--json");
            const auto finished = run(command);
            EXPECT_NE(finished.out.find("***"), std::string::npos) << finished.out;
            for (const char *secret : {"hunter2", "s%40lt", "s@lt", "pep"})
                EXPECT_EQ((finished.out + finished.err).find(secret), std::string::npos)
                    << type << "\n"
                    << finished.out;
        }
    }
}

TEST_F(PluginCheck, SaysWhenALimitWasKeptByWhatEndedByItself) {
    const std::string little = "nothing was under way: shows little";
    const auto quick = nlohmann::json::parse(
        run({"plugins", "check", built("zoo-unruly/good.so"), "--only", "time", "--json"}).out);
    const Names limits = {"cancelled-before", "cancelled-during", "deadline", "probe-deadline",
                          "destroy"};
    for (const std::string &name : limits) {
        EXPECT_EQ(of(quick, name)["result"], "ok") << name;
        EXPECT_NE(of(quick, name)["advice"].dump().find(little), std::string::npos) << name;
    }

    const SilentListener listener;
    write("settings.yaml", "url: \"http://127.0.0.1:" + std::to_string(listener.port()) + "/\"\n");
    const auto finished = run({"plugins", "check", built("plugins/http.so"), "--config",
                               "settings.yaml", "--only", "time,two-sinks", "--json"});
    const auto slow = nlohmann::json::parse(finished.out);
    EXPECT_EQ(with(slow, "failed"), Names()) << finished.out;
    EXPECT_NE(of(slow, "two-sinks"), nullptr);
    for (const char *name : {"cancelled-before", "cancelled-during", "deadline", "destroy"}) {
        EXPECT_EQ(of(slow, name)["result"], "ok") << name;
        EXPECT_EQ(of(slow, name)["advice"].dump().find(little), std::string::npos) << name;
    }
}

} // namespace

} // namespace pgat::cli
