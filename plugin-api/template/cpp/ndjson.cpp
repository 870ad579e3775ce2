// A complete sink: appends each event as a line to a file. Copy the folder, give it a name of its own,
// and put your receiver where the file is.
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <pgat/sink.hpp>
#include <unistd.h>

namespace {

using namespace pgat::plugin;

// Postgres prints a payload without line breaks, so that a line is an event. Its id is the same each
// time it comes: by that a reader drops repeats.
class NdjsonSink {
  public:
    NdjsonSink(Host host, std::string_view config)
        : path_(host.text(config, "/path").value()), // the schema requires it
          file_(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)),
          written_(host.counter("written_bytes_total", "Bytes written")) {
        if (file_ < 0) throw Failure(PGAT_E_CONFIG, why("cannot be opened"));
    }
    ~NdjsonSink() { ::close(file_); }
    NdjsonSink(const NdjsonSink &) = delete;
    NdjsonSink &operator=(const NdjsonSink &) = delete;

    // All or nothing: where the disk is full nothing of the batch stays behind, and it comes again.
    void publish(const Batch &batch, Outcomes &outcomes) {
        lines_.clear();
        for (std::uint32_t i = 0; i < batch.size(); ++i)
            lines_.append("{\"id\":\"")
                .append(batch[i].id())
                .append("\",\"payload\":")
                .append(batch[i].payload())
                .append("}\n");
        const off_t start = ::lseek(file_, 0, SEEK_END);
        if (!put(lines_) || ::fdatasync(file_) != 0) {
            const Failure failure(PGAT_E_UNAVAILABLE, why("cannot be written"));
            if (::ftruncate(file_, start) != 0) throw Failure(PGAT_E_BROKEN, why("is torn"));
            throw failure;
        }
        outcomes.delivered(0, batch.size());
        written_.add(lines_.size());
    }

  private:
    bool put(std::string_view left) const {
        while (!left.empty()) {
            const ssize_t taken = ::write(file_, left.data(), left.size());
            if (taken < 0) return false;
            left.remove_prefix(static_cast<std::size_t>(taken));
        }
        return true;
    }
    std::string why(const char *what) const {
        return path_ + " " + what + ": " + std::system_category().message(errno);
    }

    std::string path_;
    int file_;
    Counter written_;
    std::string lines_;
};

} // namespace

PGAT_EXPORT_SINK(NdjsonSink, .type = "ndjson", .version = "1.0.0",
                 .description = "appends events to a file, one a line", .license = "MIT",
                 .config_schema = R"({
                     "type": "object", "required": ["path"], "additionalProperties": false,
                     "properties": {"path": {"type": "string", "minLength": 1}}})")
