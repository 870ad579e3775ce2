// Loading a configuration from a text, as a file named config.yaml would be.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.hpp"
#include "config/load.hpp"

namespace pgat::config {

class ConfigTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "pgat-config-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string &name, const std::string &text) {
        const std::string path = folder_ / name;
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    Config load_text(const std::string &yaml, Environment::Variables variables = {}) {
        return load(write("config.yaml", yaml), Environment(std::move(variables)));
    }

    // What load() refuses the text with, the folder's name left out; empty if it takes it.
    std::string refusal(const std::string &yaml, Environment::Variables variables = {}) {
        try {
            load_text(yaml, std::move(variables));
        } catch (const Error &error) {
            EXPECT_EQ(error.remedy(), Remedy::configure);
            return without_folder(error.what());
        }
        return {};
    }

    std::string without_folder(std::string text) const {
        const std::string folder = folder_.string() + "/";
        for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder))
            text.erase(at, folder.size());
        return text;
    }

    std::filesystem::path folder_;
};

} // namespace pgat::config
