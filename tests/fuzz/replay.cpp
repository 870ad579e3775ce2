// Runs a fuzz target over every file of its corpus, once each: what libFuzzer found stays found,
// with any compiler. Says which file it is at before it runs it, so that a crash names its input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace {

// Exactly as large as the input, so that a sanitizer sees a read beyond its end.
void run(const std::string &bytes) {
    const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    LLVMFuzzerTestOneInput(copy.get(), bytes.size());
}

} // namespace

int main(int argc, char **argv) {
    namespace fs = std::filesystem;
    std::size_t files = 0;
    run("");
    for (int i = 1; i < argc; ++i)
        for (const auto &entry : fs::recursive_directory_iterator(argv[i])) {
            if (!entry.is_regular_file()) continue;
            std::cout << entry.path().string() << std::endl;
            std::ifstream file(entry.path(), std::ios::binary);
            run(std::string(std::istreambuf_iterator<char>(file), {}));
            ++files;
        }
    if (files == 0) {
        std::cerr << "no corpus: nothing was replayed\n";
        return EXIT_FAILURE;
    }
    std::cout << files << " inputs replayed\n";
    return EXIT_SUCCESS;
}
