#include "http/exchange.hpp"

#include <algorithm>
#include <strings.h>

namespace pgat::http {

namespace {

// What is kept of an answer's body, for messages, and how much of it is read at all.
constexpr std::size_t kept = 1024;
constexpr std::size_t read_at_most = 1048576;
// What a buffer may keep between batches.
constexpr std::size_t large = 262144;

std::string_view content_type(const Settings &settings) {
    if (settings.mode == Mode::ndjson) return "application/x-ndjson";
    if (settings.format == Format::payload) return "application/json";
    return settings.mode == Mode::array ? "application/cloudevents-batch+json"
                                        : "application/cloudevents+json; charset=utf-8";
}

bool has_header(const Settings &settings, const char *name) {
    return std::any_of(settings.headers.begin(), settings.headers.end(), [&](const Header &header) {
        return strcasecmp(header.name.c_str(), name) == 0;
    });
}

} // namespace

Exchange::Exchange(const Settings &settings, std::string_view user_agent)
    : settings_(settings), easy_(make_easy(settings, user_agent)) {
    if (!has_header(settings, "content-type")) add_line("Content-Type", content_type(settings));
    if (settings.gzip) add_line("Content-Encoding", "gzip");
    for (const Header &header : settings.headers)
        if (header.value.constant()) add_line(header.name, header.value.prefix());
    first_changing_ = lines_.size();
    add_line("webhook-id", "");
    add_line("webhook-timestamp", "");
    if (!settings.signing_keys.empty()) add_line("webhook-signature", "");
    for (const Header &header : settings.headers)
        if (!header.value.constant()) add_line(header.name, "");
    link_lines();

    CURL *const easy = handle();
    set_option(easy, CURLOPT_POST, 1L);
    if (settings.method != "POST") set_option(easy, CURLOPT_CUSTOMREQUEST, settings.method.c_str());
    set_option(easy, CURLOPT_PATH_AS_IS, 1L);
    set_option(easy, CURLOPT_HTTPHEADER, nodes_.data());
    set_option(easy, CURLOPT_WRITEFUNCTION, &Exchange::receive);
    set_option(easy, CURLOPT_WRITEDATA, static_cast<void *>(this));
    set_option(easy, CURLOPT_ERRORBUFFER, error_.data());
}

void Exchange::prepare(const Target &target, const Stamp &stamp, std::string_view body_text) {
    std::size_t line = first_changing_;
    set_line(line++, "webhook-id", stamp.id);
    set_line(line++, "webhook-timestamp", stamp.timestamp);
    if (!settings_.signing_keys.empty()) set_line(line++, "webhook-signature", stamp.signature);
    std::size_t value = 0;
    for (const Header &header : settings_.headers)
        if (!header.value.constant()) set_line(line++, header.name, target.values[value++]);

    if (url_ != target.url) {
        set_option(handle(), CURLOPT_URL, target.url.c_str());
        url_ = target.url;
    }
    set_option(handle(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_text.size()));
    set_option(handle(), CURLOPT_POSTFIELDS, body_text.data());
    received_.clear();
    received_size_ = 0;
    error_.front() = '\0';
}

Answer Exchange::answer(CURLcode code) const {
    Answer answer;
    answer.code = code;
    long status = 0;
    long connections = 0;
    curl_off_t wait = 0;
    curl_off_t took = 0;
    curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle(), CURLINFO_NUM_CONNECTS, &connections);
    curl_easy_getinfo(handle(), CURLINFO_RETRY_AFTER, &wait);
    curl_easy_getinfo(handle(), CURLINFO_TOTAL_TIME_T, &took);
    // The status is the answer, even where the rest of it got lost; 1xx is not one yet.
    if (status >= 200) answer.status = status;
    answer.new_connection = connections > 0;
    constexpr curl_off_t day = 86400;
    answer.retry_after = std::chrono::seconds(std::clamp<curl_off_t>(wait, 0, day));
    answer.took = std::chrono::microseconds(took);
    answer.body = received_;
    answer.error = error_.front() != '\0' ? error_.data() : curl_easy_strerror(code);
    return answer;
}

void Exchange::release_large_buffers() noexcept {
    for (std::string *const buffer : {&body, &compressed})
        if (buffer->capacity() > large) std::string().swap(*buffer);
}

std::size_t Exchange::receive(char *data, std::size_t size, std::size_t count,
                              void *self) noexcept {
    Exchange &to = *static_cast<Exchange *>(self);
    const std::size_t bytes = size * count;
    to.received_size_ += bytes;
    try {
        to.received_.append(data, std::min(bytes, kept - to.received_.size()));
    } catch (...) {
        return 0;
    }
    return to.received_size_ > read_at_most ? 0 : bytes;
}

std::size_t Exchange::add_line(std::string_view name, std::string_view value) {
    lines_.emplace_back();
    set_line(lines_.size() - 1, name, value);
    return lines_.size() - 1;
}

void Exchange::set_line(std::size_t line, std::string_view name, std::string_view value) {
    std::string &text = lines_[line];
    text.assign(name);
    // libcurl's way to write a header without a value is a semicolon.
    if (value.empty()) {
        text += ';';
    } else {
        text.append(": ").append(value);
    }
    if (line < nodes_.size()) nodes_[line].data = text.data();
}

void Exchange::link_lines() {
    nodes_.resize(lines_.size());
    for (std::size_t line = 0; line < lines_.size(); ++line) {
        nodes_[line].data = lines_[line].data();
        nodes_[line].next = line + 1 < lines_.size() ? &nodes_[line + 1] : nullptr;
    }
}

} // namespace pgat::http
