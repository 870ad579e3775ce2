// What the host says about plugins it finds: that it takes the good ones, and how it refuses the others.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "sinks/plugin_search.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::sinks {
namespace {

namespace fs = std::filesystem;
using support::TemporaryFolder;

const fs::path zoo = PGAT_ZOO;

// The refusal without the file's folder, as "kafka.so: …".
std::string refusal_of(const fs::path &file) {
    try {
        load_plugin_file(file);
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::configure);
        const std::string what = error.what();
        const std::string folder = file.parent_path().string() + "/";
        EXPECT_EQ(what.substr(0, folder.size()), folder) << "the whole path comes first";
        return what.substr(std::min(folder.size(), what.size()));
    }
    return "none";
}

std::string zoo_refusal(const std::string &type) { return refusal_of(zoo / (type + ".so")); }

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

// A copy of scripted.so in a folder of its own, to be spoiled.
class SpoiledFile : public testing::Test {
  protected:
    void SetUp() override {
        fs::copy_file(zoo / "scripted.so", file);
        fs::permissions(file, fs::perms(0644));
    }

    void overwrite(std::uint64_t offset, const std::string &bytes) const {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(offset));
        stream << bytes;
    }

    TemporaryFolder folder{"sinks"};
    fs::path file = folder.path() / "scripted.so";
};

TEST(Loading, ReadsATableIntoAPlugin) {
    const Plugin &plugin = load_plugin_file(zoo / "scripted.so");
    EXPECT_EQ(plugin.type, "scripted");
    EXPECT_EQ(plugin.version, "0.1.0");
    EXPECT_EQ(plugin.description, "does what it is told");
    EXPECT_EQ(plugin.license, "MIT");
    EXPECT_EQ(plugin.abi(), "1.0");
    EXPECT_EQ(plugin.max_batch, 100U);
    EXPECT_EQ(plugin.schema["type"], "object");
    EXPECT_EQ(plugin.file, fs::canonical(zoo / "scripted.so"));
}

TEST(Loading, TakesAFileOnlyOnce) {
    EXPECT_EQ(&load_plugin_file(zoo / "scripted.so"), &load_plugin_file(zoo / "." / "scripted.so"));
}

TEST(Loading, TakesAPluginBuiltWithANewerHeaderThatOnlyAdds) {
    EXPECT_EQ(load_plugin_file(zoo / "newer.so").abi(), "1.9");
}

TEST(Loading, RefusesAnotherMajorVersionOfTheAbi) {
    EXPECT_EQ(zoo_refusal("wrong_major"),
              "wrong_major.so: built for plugin ABI 2.3, this daemon speaks "
              "1.x: install a plugin built for ABI 1");
}

TEST(Loading, RefusesAPluginThatNeedsANewerHost) {
    EXPECT_EQ(zoo_refusal("too_new"),
              "too_new.so: needs plugin ABI 1.7 or later, this daemon speaks 1.0: "
              "install a newer daemon, or an older version of the plugin");
}

TEST(Loading, RefusesAPluginOfAnotherTypeThanItsFileSays) {
    EXPECT_EQ(
        zoo_refusal("liar"),
        "liar.so: says it is the plugin \"honest\", its file's name liar.so: rename the file to "
        "honest.so, or install the right one, or set .type to \"liar\" in PGAT_EXPORT_SINK (in C: "
        ".type)");
}

TEST(Loading, RefusesALibraryThatIsNoPlugin) {
    EXPECT_EQ(zoo_refusal("silent"),
              "silent.so: not a plugin for postgres-async-triggers: it does not "
              "export pgat_sink_entry");
}

TEST(Loading, NamesTheLibraryThatIsMissing) {
    const std::string refusal = zoo_refusal("needy");
    EXPECT_TRUE(contains(refusal,
                         "needy.so: needs libzoo_absent.so, which is not installed here: install "
                         "the package that brings it"))
        << refusal;
}

TEST(Loading, RefusesTablesThatCannotBeRead) {
    EXPECT_TRUE(contains(zoo_refusal("null_table"), "pgat_sink_entry returned no table"));
    EXPECT_TRUE(contains(zoo_refusal("short_table"), "its table says it is 64 bytes long"));
    EXPECT_TRUE(contains(zoo_refusal("no_publish"), "its table has no function publish"));
    EXPECT_TRUE(contains(zoo_refusal("bad_text"), "its table's description is not UTF-8"));
    EXPECT_TRUE(
        contains(zoo_refusal("null_text"), "its table's description is NULL with a length of 4"));
    EXPECT_TRUE(contains(zoo_refusal("bad_schema"), "its config_schema is not a JSON object"));
}

TEST(Loading, WarnsOfSchemaKeywordsThatAreNotChecked) {
    const auto &warnings = load_plugin_file(zoo / "odd_schema.so").warnings;
    EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string &warning) {
        return contains(warning, "uses minProperties, which this daemon does not check");
    }));
}

TEST_F(SpoiledFile, TruncatedIsRefusedWithoutBeingMapped) {
    const auto size = fs::file_size(file);
    for (const std::uintmax_t kept : {size / 2, std::uintmax_t{4096}, std::uintmax_t{100}}) {
        fs::resize_file(file, kept);
        EXPECT_TRUE(contains(refusal_of(file), "scripted.so: truncated: "))
            << kept << refusal_of(file);
    }
    fs::resize_file(file, 20);
    EXPECT_TRUE(contains(refusal_of(file), "truncated")) << refusal_of(file);
    fs::resize_file(file, 0);
    EXPECT_TRUE(contains(refusal_of(file), "scripted.so: not an ELF file")) << refusal_of(file);
}

TEST_F(SpoiledFile, ForAnotherMachineIsRefusedByName) {
    overwrite(18, std::string("\xF3\0", 2)); // e_machine: RISC-V
    EXPECT_TRUE(contains(refusal_of(file), "scripted.so: built for riscv, this machine is "))
        << refusal_of(file);
}

TEST_F(SpoiledFile, TextIsRefused) {
    std::ofstream(file) << "#!/bin/sh\necho I am a plugin too\n";
    EXPECT_EQ(refusal_of(file),
              "scripted.so: not an ELF file: install the plugin again, built for this machine");
}

TEST_F(SpoiledFile, AFolderOfTheNameIsRefused) {
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_EQ(refusal_of(file), "scripted.so: not a regular file");
}

TEST_F(SpoiledFile, WritableByEverybodyIsRefused) {
    fs::permissions(file, fs::perms(0646));
    EXPECT_EQ(refusal_of(file), "scripted.so: not loaded: the file " + file.string() +
                                    " can be written by everybody: chmod o-w " + file.string());
}

TEST_F(SpoiledFile, InAFolderWritableByEverybodyIsRefused) {
    fs::permissions(folder.path(), fs::perms(0757));
    EXPECT_TRUE(contains(refusal_of(file),
                         "the folder " + folder.path().string() + " can be written by everybody"))
        << refusal_of(file);
}

TEST_F(SpoiledFile, ThroughALinkInAFolderWritableByEverybodyIsRefused) {
    const TemporaryFolder open_to_all("sinks");
    const fs::path link = open_to_all.path() / "scripted.so";
    fs::create_symlink(file, link);
    EXPECT_EQ(load_plugin_file(link).file, file);
    fs::permissions(open_to_all.path(), fs::perms(0757));
    EXPECT_THROW(load_plugin_file(link), Error);
    EXPECT_NO_THROW(load_plugin_file(file));
}

TEST_F(SpoiledFile, MayHaveAVersionInItsNameWhereALinkHasThePluginsOwn) {
    fs::rename(file, folder.path() / "scripted-1.2.so");
    fs::create_symlink("scripted-1.2.so", file);
    EXPECT_EQ(load_plugin_file(file).type, "scripted");
    EXPECT_THROW(load_plugin_file(folder.path() / "scripted-1.2.so"), Error);
}

TEST_F(SpoiledFile, OfAStrangerIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    ASSERT_EQ(::chown(file.c_str(), 12345, static_cast<gid_t>(-1)), 0);
    EXPECT_TRUE(
        contains(refusal_of(file), "belongs to user 12345, neither to root nor to the user"))
        << refusal_of(file);
}

TEST_F(SpoiledFile, WritableByAGroupIsTakenWithAWarning) {
    fs::permissions(file, fs::perms(0664));
    const Plugin &plugin = load_plugin_file(file);
    ASSERT_EQ(plugin.warnings.size(), 1U);
    EXPECT_TRUE(contains(plugin.warnings[0], "can be written by group")) << plugin.warnings[0];
}

TEST(Search, TakesThePluginFromTheFirstFolderThatHasIt) {
    const TemporaryFolder empty("sinks");
    const std::vector<fs::path> folders{empty.path() / "absent", empty.path(), zoo};
    EXPECT_EQ(load_plugin("scripted", folders).file, fs::canonical(zoo / "scripted.so"));
}

TEST(Search, OfAMissingPluginNamesWhatIsFoundAndWhereItLooked) {
    const TemporaryFolder folder("sinks");
    fs::copy_file(zoo / "scripted.so", folder.path() / "kafka.so");
    const std::vector<fs::path> folders{folder.path(), folder.path() / "absent"};
    try {
        load_plugin("kafak", folders);
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::configure);
        EXPECT_EQ(std::string(error.what()),
                  "sink.type: no plugin kafak: there is no kafak.so in " + folder.path().string() +
                      ", " + folders[1].string() + " (no such folder)");
        EXPECT_TRUE(contains(error.hint(), "the plugins found are kafka;")) << error.hint();
    }
}

TEST(Search, TakesNoPathForAType) {
    const std::vector<fs::path> folders{zoo / "sub"};
    EXPECT_THROW(load_plugin("../scripted", folders), Error);
    EXPECT_THROW(load_plugin("", folders), Error);
    EXPECT_THROW(load_plugin("Scripted", folders), Error);
    EXPECT_THROW(load_plugin(std::string(33, 'a'), folders), Error);
}

TEST(Search, ListsEachFileWithWhatItIsOrWhyItCannotBeUsed) {
    const TemporaryFolder folder("sinks");
    for (const char *file : {"scripted.so", "wrong_major.so"})
        fs::copy_file(zoo / file, folder.path() / file);
    std::ofstream(folder.path() / "notes.txt") << "not a plugin";
    std::ofstream(folder.path() / "aaa.so") << "text";
    const std::vector<fs::path> folders{folder.path(), folder.path() / "absent"};

    const auto listings = list_plugins(folders);
    ASSERT_EQ(listings.size(), 3U);
    EXPECT_EQ(listings[0].type, "aaa");
    EXPECT_TRUE(contains(listings[0].problem, "not an ELF file"));
    EXPECT_EQ(listings[1].type, "scripted");
    EXPECT_EQ(listings[1].version, "0.1.0");
    EXPECT_EQ(listings[1].abi, "1.0");
    EXPECT_EQ(listings[1].problem, "");
    EXPECT_EQ(listings[2].type, "wrong_major");
    EXPECT_TRUE(contains(listings[2].problem, "built for plugin ABI 2.3"));
}

TEST(Search, ListsWhatALaterFolderHidesBehindAnEarlierOne) {
    const TemporaryFolder first("sinks");
    fs::copy_file(zoo / "scripted.so", first.path() / "scripted.so");
    const std::vector<fs::path> folders{first.path(), zoo};
    const auto listings = list_plugins(folders);
    const auto hidden =
        std::find_if(listings.begin() + 1, listings.end(),
                     [](const PluginListing &one) { return one.type == "scripted"; });
    ASSERT_NE(hidden, listings.end());
    EXPECT_EQ(hidden->problem, "hidden by " + (first.path() / "scripted.so").string() +
                                   ", whose folder comes first");
}

TEST(Search, UsesTheConfiguredFoldersOrOneOfItsOwn) {
    EXPECT_EQ(plugin_directories({"/a", "/b"}), (std::vector<fs::path>{"/a", "/b"}));
    EXPECT_EQ(plugin_directories({}).size(), 1U);
}

} // namespace
} // namespace pgat::sinks
