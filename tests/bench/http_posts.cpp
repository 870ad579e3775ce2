// http_posts URL COUNT CONCURRENCY BYTES: as many POSTs as asked for with a bare libcurl multi loop, what a
// client of that library can do at most.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <curl/curl.h>

namespace {

struct FreeList {
    void operator()(curl_slist *list) const noexcept { curl_slist_free_all(list); }
};

std::size_t ignore(char *, std::size_t size, std::size_t count, void *) { return size * count; }

void post(const char *url, long count, long concurrency, std::size_t bytes) {
    const std::unique_ptr<CURLM, CURLMcode (*)(CURLM *)> multi(curl_multi_init(),
                                                               &curl_multi_cleanup);
    const std::string body(bytes, 'x');
    curl_slist *lines = nullptr;
    for (const char *line : {"Content-Type: application/json", "webhook-id: 1-1-1",
                             "webhook-timestamp: 1700000000", "Expect:"})
        lines = curl_slist_append(lines, line);
    const std::unique_ptr<curl_slist, FreeList> headers(lines);
    std::vector<std::unique_ptr<CURL, void (*)(CURL *)>> requests;
    long started = 0;
    for (; started < concurrency && started < count; ++started) {
        CURL *const easy = curl_easy_init();
        requests.emplace_back(easy, &curl_easy_cleanup);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &ignore);
        curl_multi_add_handle(multi.get(), easy);
    }
    for (long finished = 0; finished < count;) {
        int running = 0;
        curl_multi_perform(multi.get(), &running);
        int left = 0;
        while (const CURLMsg *const message = curl_multi_info_read(multi.get(), &left)) {
            CURL *const easy = message->easy_handle;
            if (message->data.result != CURLE_OK)
                throw std::runtime_error(curl_easy_strerror(message->data.result));
            curl_multi_remove_handle(multi.get(), easy);
            ++finished;
            if (started < count) {
                curl_multi_add_handle(multi.get(), easy);
                ++started;
            }
        }
        if (finished < count) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
    }
    for (const auto &request : requests)
        curl_multi_remove_handle(multi.get(), request.get());
}

} // namespace

int main(int argc, char **argv) try {
    if (argc != 5) throw std::runtime_error("usage: http_posts URL COUNT CONCURRENCY BYTES");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    post(argv[1], std::stol(argv[2]), std::stol(argv[3]), std::stoul(argv[4]));
    curl_global_cleanup();
    return EXIT_SUCCESS;
} catch (const std::exception &exception) {
    std::fprintf(stderr, "http_posts: %s\n", exception.what());
    return EXIT_FAILURE;
}
