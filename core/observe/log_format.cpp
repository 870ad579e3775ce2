#include "observe/log_format.hpp"

#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>
#include <spdlog/details/log_msg.h>

namespace pgat::observe {

namespace {

constexpr char next_field = '\x1e';
constexpr char next_part = '\x1f';

std::string without_separators(std::string_view text) {
    std::string result(text);
    for (char &c : result)
        if (c == next_field || c == next_part) c = ' ';
    return result;
}

struct DecodedField {
    std::string_view key;
    bool bare;
    std::string_view value;
};

struct Decoded {
    std::string_view message;
    std::vector<DecodedField> fields;
};

Decoded decode(std::string_view text) {
    Decoded result;
    auto end = text.find(next_field);
    result.message = text.substr(0, end);
    while (end != std::string_view::npos) {
        text.remove_prefix(end + 1);
        end = text.find(next_field);
        const std::string_view field = text.substr(0, end);
        const auto part = field.find(next_part);
        if (part == std::string_view::npos || part + 2 > field.size()) continue;
        result.fields.push_back(
            {field.substr(0, part), field[part + 1] == 'b', field.substr(part + 2)});
    }
    return result;
}

std::string timestamp(spdlog::log_clock::time_point time) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    std::tm utc{};
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, milliseconds % 1000);
}

std::string_view level_word(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::trace:
        return "trace";
    case spdlog::level::debug:
        return "debug";
    case spdlog::level::info:
        return "info";
    case spdlog::level::warn:
        return "warn";
    default:
        return "error";
    }
}

std::string_view padded_level(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::trace:
        return "TRACE";
    case spdlog::level::debug:
        return "DEBUG";
    case spdlog::level::info:
        return "INFO ";
    case spdlog::level::warn:
        return "WARN ";
    default:
        return "ERROR";
    }
}

void append(spdlog::memory_buf_t &out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }

// Line ends with the blanks around them become "; ", or a space where the line ends a sentence itself.
std::string on_one_line(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n' || c == '\r') {
            while (at + 1 < text.size() &&
                   std::string_view(" \t\r\n").find(text[at + 1]) != std::string_view::npos)
                ++at;
            while (result.ends_with(' '))
                result.pop_back();
            const bool ended = result.empty() || std::string_view(":;,.?!").find(result.back()) !=
                                                     std::string_view::npos;
            if (at + 1 < text.size()) result += ended ? " " : "; ";
        } else if (c == '\t') {
            result += ' ';
        } else if (is_control(c)) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            result += c;
        }
    }
    return result;
}

void append_value(spdlog::memory_buf_t &out, std::string_view value) {
    const std::string text = on_one_line(value);
    if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) return append(out, text);
    out.push_back('"');
    for (const char c : text) {
        if (c == '"') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
}

} // namespace

std::string encode(std::string_view message, const std::vector<Field> &fields) {
    std::string result = without_separators(message);
    for (const Field &field : fields) {
        result += next_field;
        result += without_separators(field.key());
        result += next_part;
        result += field.bare() ? 'b' : 't';
        result += without_separators(field.value());
    }
    return result;
}

LogLine parts_of(const spdlog::details::log_msg &line) {
    const Decoded decoded = decode({line.payload.data(), line.payload.size()});
    LogLine parts{line.time,
                  std::string(level_word(line.level)),
                  std::string(line.logger_name.data(), line.logger_name.size()),
                  on_one_line(decoded.message),
                  {}};
    for (const auto &field : decoded.fields)
        parts.fields.emplace_back(field.key, on_one_line(field.value));
    return parts;
}

void TextFormatter::format(const spdlog::details::log_msg &line, spdlog::memory_buf_t &out) {
    const Decoded decoded = decode({line.payload.data(), line.payload.size()});
    append(out, timestamp(line.time));
    out.push_back(' ');
    line.color_range_start = out.size();
    append(out, padded_level(line.level));
    line.color_range_end = out.size();
    out.push_back(' ');
    append(out, {line.logger_name.data(), line.logger_name.size()});
    append(out, ": ");
    append(out, on_one_line(decoded.message));
    for (const DecodedField &field : decoded.fields) {
        out.push_back(' ');
        append(out, field.key);
        out.push_back('=');
        append_value(out, field.value);
    }
    out.push_back('\n');
}

std::unique_ptr<spdlog::formatter> TextFormatter::clone() const {
    return std::make_unique<TextFormatter>();
}

void JsonFormatter::format(const spdlog::details::log_msg &line, spdlog::memory_buf_t &out) {
    const Decoded decoded = decode({line.payload.data(), line.payload.size()});
    nlohmann::ordered_json object = {
        {"ts", timestamp(line.time)},
        {"level", level_word(line.level)},
        {"logger", std::string_view(line.logger_name.data(), line.logger_name.size())},
        {"msg", decoded.message}};
    for (const DecodedField &field : decoded.fields) {
        std::string key(field.key);
        if (object.contains(key)) key += '_';
        nlohmann::ordered_json value = field.value;
        if (field.bare) {
            value = nlohmann::ordered_json::parse(field.value, nullptr, false);
            if (value.is_discarded()) value = field.value; // inf and nan
        }
        object[key] = std::move(value);
    }
    append(out, object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    out.push_back('\n');
}

std::unique_ptr<spdlog::formatter> JsonFormatter::clone() const {
    return std::make_unique<JsonFormatter>();
}

} // namespace pgat::observe
