// Loading a configuration from a text, as a file named config.yaml would be.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "config/load.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::config {

class ConfigTest : public testing::Test {
  protected:
    std::string write(const std::string &name, const std::string &text) {
        const std::string path = folder() / name;
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
        const std::string prefix = folder().string() + "/";
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
            text.erase(at, prefix.size());
        return text;
    }

    const std::filesystem::path &folder() const { return folder_.path(); }

  private:
    const support::TemporaryFolder folder_{"config"};
};

} // namespace pgat::config
