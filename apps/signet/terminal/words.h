// The words of the command line for what client.h counts: statuses, priorities, kinds.
#pragma once

#include <optional>
#include <string_view>

#include "signet/client.h"

namespace signet::cli {

std::string_view word_of(Activity activity);  // idle, working, dnd
std::string_view word_of(Priority priority);  // now, next, low
std::string_view word_of(MessageKind kind);   // direct, broadcast, channel, unknown
std::string_view word_of(SendState state);    // waiting, stored, received, read, refused
std::optional<Activity> activity_from(std::string_view word);
std::optional<Priority> priority_from(std::string_view word);

}  // namespace signet::cli
