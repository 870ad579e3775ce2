#include "rabbitmq/refusal.hpp"

#include <amqp.h>
#include <amqp_framing.h>

namespace pgat::rabbitmq {

Blame blame_of(const Refusal &refusal) noexcept {
    switch (refusal.code) {
    case AMQP_NOT_FOUND:
    case AMQP_ACCESS_REFUSED:
        return Blame::route;
    case AMQP_PRECONDITION_FAILED:
    case AMQP_CONTENT_TOO_LARGE:
        return Blame::message;
    default:
        return Blame::passing;
    }
}

std::string one_line(std::string_view text) {
    constexpr std::size_t longest = 300;
    std::string line(text.substr(0, longest));
    if (text.size() > longest) {
        while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U)
            line.pop_back();
        if (!line.empty() && (static_cast<unsigned char>(line.back()) & 0x80U) != 0)
            line.pop_back();
        line += "…";
    }
    for (char &c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return line;
}

std::string_view remedy_for(const Refusal &refusal) noexcept {
    constexpr std::uint16_t exchange_class = 40;
    constexpr std::uint16_t queue_class = 50;
    const bool declaring = refusal.class_id == exchange_class || refusal.class_id == queue_class;
    switch (refusal.code) {
    case AMQP_NOT_FOUND:
        return refusal.of_a_publish() || refusal.class_id == exchange_class
                   ? ": create the exchange, correct the name, or let declare.exchange make it"
                   : ": correct the name, or let declare make it";
    case AMQP_ACCESS_REFUSED:
        if (refusal.of_a_publish())
            return ": let the user write to the exchange (rabbitmqctl set_permissions, "
                   "set_topic_permissions)";
        if (declaring)
            return ": let the user configure what declare lists (rabbitmqctl set_permissions), or "
                   "leave declare out";
        return ": correct username and password or the user's rights (rabbitmqctl "
               "authenticate_user, list_permissions); guest may come from the broker's own host "
               "only";
    case AMQP_PRECONDITION_FAILED:
        return declaring ? ": it is there already with other settings: write those into declare, "
                           "or delete it"
                         : "";
    case AMQP_NOT_ALLOWED:
        return ": create the vhost, correct its name, or give the user rights there (rabbitmqctl "
               "list_vhosts, set_permissions)";
    default:
        return "";
    }
}

} // namespace pgat::rabbitmq
