// A text with placeholders that each event fills in: {/queue_name} is what the JSON pointer
// /queue_name leads to in the payload, {metadata:/topic} likewise in the metadata; {{ and }} are
// braces. Used for URLs, headers, topics and routing keys, so that routing is the same everywhere.
//
// Strings go in unescaped; numbers, booleans, arrays and objects as the document writes them. An
// event that lacks the value, or has null there, has no text: render() says why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgat/sink.hpp"

namespace pgat::plugin {

// Whether the text holds a control character: C0 or DEL. In a header it could begin another header.
inline bool has_control_character(std::string_view text) noexcept {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
    return false;
}

// Appends `text` with everything but RFC 3986's unreserved characters as %XX.
inline void append_percent_encoded(std::string &out, std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                                c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4U];
            out += hex[byte & 0xFU];
        }
    }
}

class Template {
  public:
    enum class Encoding { raw, percent };

    // Reads `text`. Throws Failure(PGAT_E_CONFIG), naming the option `where` but not the whole
    // text, which may hold a secret.
    explicit Template(std::string_view text, std::string_view where = "template") {
        std::string literal;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            const bool doubled = at + 1 < text.size() && text[at + 1] == c;
            if ((c == '{' || c == '}') && doubled) {
                literal += c;
                ++at;
            } else if (c == '{') {
                const std::size_t end = text.find('}', at);
                if (end == std::string_view::npos) refuse(where, "has a { without its }");
                add_literal(literal);
                add_placeholder(text.substr(at + 1, end - at - 1), where);
                at = end;
            } else if (c == '}') {
                refuse(where, "has a } without its {");
            } else {
                literal += c;
            }
        }
        add_literal(literal);
    }

    // The same for every event?
    bool constant() const noexcept {
        return parts_.empty() || (parts_.size() == 1 && parts_.front().source == Source::literal);
    }

    // What stands before the first placeholder: all of it, where constant().
    std::string_view prefix() const noexcept {
        if (parts_.empty() || parts_.front().source != Source::literal) return {};
        return parts_.front().text;
    }

    // Appends the text for `event`. On failure returns why, and `out` holds a useless beginning.
    std::optional<std::string> render(const Host &host, const Event &event, Encoding encoding,
                                      std::string &out) const {
        for (const Part &part : parts_) {
            if (part.source == Source::literal) {
                out += part.text;
                continue;
            }
            const bool payload = part.source == Source::payload;
            const std::string_view document = payload ? event.payload() : event.metadata();
            const Json found = document.empty() ? Json{} : host.find(document, part.text);
            if (!found.present())
                return (payload ? "the payload has no value at "
                                : "the metadata has no value at ") +
                       part.text;
            if (encoding == Encoding::percent) {
                append_percent_encoded(out, found.text);
            } else {
                out += found.text;
            }
        }
        return std::nullopt;
    }

  private:
    enum class Source { literal, payload, metadata };
    struct Part {
        Source source;
        std::string text; // the literal, or the pointer
    };

    [[noreturn]] static void refuse(std::string_view where, std::string_view why) {
        throw Failure(PGAT_E_CONFIG, std::string(where) + ": " + std::string(why) +
                                         ": write {/pointer} for a part of the payload, "
                                         "{metadata:/pointer} for one of the metadata, {{ and }} "
                                         "for braces");
    }

    void add_literal(std::string &literal) {
        if (!literal.empty()) parts_.push_back({Source::literal, std::move(literal)});
        literal.clear();
    }

    void add_placeholder(std::string_view inside, std::string_view where) {
        constexpr std::string_view metadata = "metadata:";
        Source source = Source::payload;
        if (inside.substr(0, metadata.size()) == metadata) {
            source = Source::metadata;
            inside.remove_prefix(metadata.size());
        }
        if (inside.empty() || inside.front() != '/')
            refuse(where, "has a placeholder that is not a JSON pointer");
        parts_.push_back({source, std::string(inside)});
    }

    std::vector<Part> parts_;
};

} // namespace pgat::plugin
