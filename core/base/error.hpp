// The one exception of the core.
//
// It says what is wrong, what the operator can do about it (hint), and what the program does about
// it (remedy). Callers branch on the remedy, or on the SQLSTATE where a protocol step asks for it;
// never on the text, which servers translate.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace pgat {

enum class Remedy {
    retry,       // the same call may work later on the same connection
    reconnect,   // the connection is lost or useless: open new ones and recover
    recover,     // the slot or the cursor is not what it should be: run the recovery again
    stop,        // no attempt of this process will help; exit with status 1
    configure,   // bad arguments or configuration: exit with status 2, a restart would not help
    interrupted, // not a failure: a wait was ended because the program is asked to stop
};

class Error : public std::runtime_error {
  public:
    Error(Remedy remedy, const std::string &what) : std::runtime_error(what), remedy_(remedy) {}

    Remedy remedy() const noexcept { return remedy_; }
    // The five characters of Postgres's error code, or empty: the error is not the server's.
    const std::string &sqlstate() const noexcept { return sqlstate_; }
    // A sentence for the operator: what to do. May be empty.
    const std::string &hint() const noexcept { return hint_; }

    Error &&with_hint(std::string hint) && {
        hint_ = std::move(hint);
        return std::move(*this);
    }
    Error &&with_sqlstate(std::string_view code) && {
        sqlstate_ = code;
        return std::move(*this);
    }

    // what() and the hint as one text, "…\n  hint: …", as a terminal or a log line shows it.
    std::string text() const {
        return hint_.empty() ? std::string(what()) : std::string(what()) + "\n  hint: " + hint_;
    }

  private:
    Remedy remedy_;
    std::string sqlstate_;
    std::string hint_;
};

} // namespace pgat
