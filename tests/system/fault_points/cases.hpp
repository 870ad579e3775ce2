// Every named place at which a test build can end the daemon, and what it has to be doing to come there.
#pragma once

#include <array>

namespace pgat::fault_points {

enum class During {
    first_start,   // on a database that knows nothing of us
    slot_creation, // the first start of a stream that has events already
    streaming,     // while the application writes
    stop,          // SIGTERM once something is delivered
    replacement,   // of a slot that is older than its publication
    dead_letter,   // the sink rejects some events
    outage,        // the sink is down, and back, again and again
    housekeeping,  // partitions to make, and one to drop
};

struct Case {
    const char *point;
    During during;
    int pass = 1; // the so-manyeth time that the daemon comes there
};

inline constexpr std::array cases{
    Case{"migration_applying", During::first_start, 1},
    Case{"migration_applying", During::first_start, 4},
    Case{"migration_applied", During::first_start, 1},
    Case{"migration_applied", During::first_start, 7},

    Case{"publication_ensuring", During::slot_creation},
    Case{"publication_ensured", During::slot_creation},
    Case{"ownership_taking", During::slot_creation},
    Case{"ownership_taken", During::slot_creation},
    Case{"slot_creating", During::slot_creation},
    Case{"slot_created", During::slot_creation},
    Case{"stream_starting", During::slot_creation},
    Case{"stream_started", During::slot_creation},
    Case{"round_begun", During::slot_creation},
    Case{"batch_delivered", During::slot_creation},
    Case{"page_delivered", During::slot_creation},
    Case{"round_ended", During::slot_creation},
    Case{"capture_taken", During::slot_creation},
    Case{"cursor_storing", During::slot_creation},
    Case{"cursor_stored", During::slot_creation},

    Case{"batch_delivered", During::streaming, 50},
    Case{"capture_taken", During::streaming, 4},
    Case{"cursor_storing", During::streaming, 3},
    Case{"cursor_stored", During::streaming, 3},
    Case{"position_confirming", During::streaming, 2},
    Case{"position_confirmed", During::streaming, 2},
    Case{"ownership_taken", During::streaming},
    Case{"stream_started", During::streaming},
    Case{"round_ended", During::streaming},

    Case{"cursor_storing", During::stop, 2},
    Case{"cursor_stored", During::stop, 2},

    Case{"slot_dropping", During::replacement},
    Case{"slot_dropped", During::replacement},
    Case{"publication_ensuring", During::replacement},
    Case{"publication_ensured", During::replacement},
    Case{"slot_creating", During::replacement},
    Case{"slot_created", During::replacement},

    Case{"dead_letters_storing", During::dead_letter},
    Case{"dead_letters_stored", During::dead_letter},
    Case{"dead_letters_stored", During::dead_letter, 3},

    Case{"failover_entered", During::outage},
    Case{"failover_entered", During::outage, 2},
    Case{"failover_storing", During::outage},
    Case{"failover_stored", During::outage},
    Case{"failover_stored", During::outage, 2},
    Case{"position_storing", During::outage},
    Case{"position_stored", During::outage},
    Case{"round_begun", During::outage, 3},
    Case{"page_delivered", During::outage, 2},
    Case{"stream_paused", During::outage, 2},
    Case{"round_ended", During::outage, 4},
    Case{"failover_clearing", During::outage},
    Case{"failover_cleared", During::outage},
    Case{"failover_cleared", During::outage, 2},

    Case{"partition_creating", During::housekeeping},
    Case{"partition_created", During::housekeeping},
    Case{"partition_dropping", During::housekeeping},
    Case{"partition_dropped", During::housekeeping},
};

// Where only a start after a crash of the plugin comes by: crashing_sink_test ends it there.
inline constexpr std::array after_a_crash{
    "crash_counting",
    "crash_counted",
};

// Where commands come by and no daemon: tests/cli ends them there.
inline constexpr std::array in_commands{
    "letters_removing",
    "letters_removed",
};

} // namespace pgat::fault_points
