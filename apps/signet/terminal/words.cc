#include "signet/terminal/words.h"

#include <array>

namespace signet::cli {
namespace {

constexpr std::array<std::string_view, 3> kActivities{"idle", "working", "dnd"};
constexpr std::array<std::string_view, 3> kPriorities{"now", "next", "low"};
constexpr std::array<std::string_view, 4> kKinds{"direct", "broadcast", "channel", "unknown"};
constexpr std::array<std::string_view, 5> kSendStates{"waiting", "stored", "received", "read",
                                                      "refused"};

template <class Code, std::size_t kCount>
std::optional<Code> code_from(const std::array<std::string_view, kCount>& words,
                              std::string_view word) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (words[i] == word) return static_cast<Code>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view word_of(Activity activity) {
  return kActivities[static_cast<std::size_t>(activity)];
}
std::string_view word_of(Priority priority) {
  return kPriorities[static_cast<std::size_t>(priority)];
}
std::string_view word_of(MessageKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view word_of(SendState state) { return kSendStates[static_cast<std::size_t>(state)]; }

std::optional<Activity> activity_from(std::string_view word) {
  return code_from<Activity>(kActivities, word);
}
std::optional<Priority> priority_from(std::string_view word) {
  return code_from<Priority>(kPriorities, word);
}

}  // namespace signet::cli
