#include "config/document.hpp"

#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/error.hpp"
#include "config/text_file.hpp"

namespace pgat::config {

namespace {

// Deeper than any configuration; an alias that contains itself would go on for ever.
constexpr int max_depth = 32;
// More than any configuration has; aliases of aliases of lists make millions out of a few lines.
constexpr int max_nodes = 100'000;

class Builder {
  public:
    Builder(const std::string &file, Problems &problems) : file_(file), problems_(problems) {}

    Node build(const YAML::Node &yaml, const std::string &path, const std::string &place,
               int depth = 0) {
        if (depth > max_depth)
            throw Error(Remedy::configure, fmt::format("{}: {}: nested too deeply", place, path));
        if (++nodes_ > max_nodes)
            throw Error(Remedy::configure,
                        fmt::format("{}: {}: its aliases stand for too many values", place, path));
        Node node;
        node.place = place;
        switch (yaml.Type()) {
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null:
            break;
        case YAML::NodeType::Scalar:
            node.kind = Node::Kind::scalar;
            node.text = node.written = yaml.Scalar();
            node.quoted = yaml.Tag() == "!" || yaml.Tag() == "tag:yaml.org,2002:str";
            break;
        case YAML::NodeType::Sequence:
            node.kind = Node::Kind::list;
            for (const auto &item : yaml)
                node.values.push_back(build(item, path, place_of(item, place), depth + 1));
            break;
        case YAML::NodeType::Map:
            build_map(yaml, node, path, depth);
            break;
        }
        return node;
    }

    std::string place_of(const YAML::Node &yaml, const std::string &otherwise) const {
        const YAML::Mark mark = yaml.Mark();
        return mark.is_null() ? otherwise : fmt::format("{}:{}", file_, mark.line + 1);
    }

  private:
    void build_map(const YAML::Node &yaml, Node &node, const std::string &path, int depth) {
        node.kind = Node::Kind::map;
        for (const auto &member : yaml) {
            const std::string place = place_of(member.first, node.place);
            if (!member.first.IsScalar()) {
                problems_.add(place, path, "a key must be a plain word");
                continue;
            }
            const std::string key = member.first.Scalar();
            const std::string full = path.empty() ? key : path + "." + key;
            if (const Node *first = node.find(key)) {
                problems_.add(place, full, fmt::format("is set twice, first at {}", first->place));
                continue;
            }
            Node value = build(member.second, full, place, depth + 1);
            value.key = key;
            node.values.push_back(std::move(value));
        }
    }

    const std::string &file_;
    Problems &problems_;
    int nodes_ = 0;
};

// Counts documents, and sees to it that each begins behind the last: the parser stays for ever where it meets
// what no document begins with, such as a comma.
class DocumentCount : public YAML::EventHandler {
  public:
    std::size_t of(const std::string &text) {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(*this)) {
        }
        return count_;
    }

    void OnDocumentStart(const YAML::Mark &mark) override {
        if (count_ > 0 && mark.pos <= last_.pos)
            throw YAML::ParserException(mark, "no value begins like this");
        last_ = mark;
        ++count_;
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark &, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark &, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark &, const std::string &, YAML::anchor_t,
                  const std::string &) override {}
    void OnSequenceStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

  private:
    std::size_t count_ = 0;
    YAML::Mark last_;
};

std::string read_configuration(const std::string &file, const DocumentWords &words) {
    try {
        return read_text_file(file);
    } catch (const std::system_error &error) {
        throw Error(Remedy::configure,
                    fmt::format("cannot read {} {}: {}", words.name, file, error.code().message()))
            .with_hint(words.if_unreadable);
    }
}

// The parser's own words, without what they quote of the file: an unquoted password may start with "*".
std::string without_quotations(const std::string &message) {
    return message.substr(0, message.find(':'));
}

} // namespace

Node *Node::find(const std::string &name) {
    for (Node &value : values)
        if (value.key == name) return &value;
    return nullptr;
}

const Node *Node::find(const std::string &name) const {
    for (const Node &value : values)
        if (value.key == name) return &value;
    return nullptr;
}

const char *Node::kind_name() const noexcept {
    switch (kind) {
    case Kind::null:
        return "empty";
    case Kind::scalar:
        return "a single value";
    case Kind::list:
        return "a list";
    case Kind::map:
        break;
    }
    return "a map";
}

Node read_document(const std::string &file, Problems &problems, const DocumentWords &words) {
    const std::string text = read_configuration(file, words);
    try {
        const std::size_t documents = DocumentCount().of(text);
        if (documents > 1) {
            throw Error(Remedy::configure,
                        fmt::format("{}: holds {} YAML documents, one is wanted", file, documents))
                .with_hint("remove the lines that read '---', or all but the first document");
        }
        Node root;
        root.place = file + ":1";
        Builder builder(file, problems);
        root = builder.build(YAML::Load(text), "", root.place);
        if (root.kind == Node::Kind::null) root.kind = Node::Kind::map;
        if (root.kind != Node::Kind::map) {
            throw Error(Remedy::configure,
                        fmt::format("{}: must be a map of keys at the top, is {}", root.place,
                                    root.kind_name()))
                .with_hint(words.if_no_map);
        }
        return root;
    } catch (const YAML::Exception &error) {
        throw Error(Remedy::configure,
                    fmt::format("{}:{}: not valid YAML (column {}): {}", file, error.mark.line + 1,
                                error.mark.column + 1, without_quotations(error.msg)))
            .with_hint(
                "quote values that begin with one of * & ! | > % @ ` or contain ': ' or ' #', "
                "and indent with spaces");
    }
}

} // namespace pgat::config
