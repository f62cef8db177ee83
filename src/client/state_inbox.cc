#include "client/state_inbox.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"
#include "crypto/channel_box.h"
#include "crypto/hash.h"

namespace signet::client {
namespace {

constexpr std::string_view kBodyDomain = "signet/state/body";

Priority priority_of(std::int64_t value) {
  return static_cast<Priority>(std::clamp<std::int64_t>(value, 0, 2));
}

StoredPush push_of(const Statement& row) {
  return {row.string(0), row.string(1), row.string(2), priority_of(row.number(3)),
          row.string(4), row.string(5), row.string(6)};
}

std::int64_t limit_of(std::size_t most) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(most, kMost));
}

// A channel's body is bound to its target; a direct one is not, so whether a broker says its target
// or leaves it out, it is the same message.
std::string_view place_of(std::string_view target) {
  const bool is_shared =
      target.starts_with('*') || target.starts_with('#') || target.starts_with("tag:");
  return is_shared ? target : std::string_view();
}

// Nonce and box are drawn for one message, so a second one is a copy. Of a text in the clear they
// are whatever its sender writes, and it may say the same again.
bool is_sealed(const StoredPush& push) {
  constexpr std::size_t kBeginning = 8;  // digits of base64: the magic and two bytes more
  if (place_of(push.target).empty()) return true;
  const auto begin = from_base64(std::string_view(push.ciphertext).substr(0, kBeginning));
  return begin && crypto::has_channel_magic(*begin);
}

std::string lower(std::string_view hex) {
  std::string text(hex);
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string digest_of(const StoredPush& push) {
  const crypto::Digest16 digest = crypto::digest16(
      kBodyDomain, {lower(push.sender_key), place_of(push.target), push.nonce, push.ciphertext});
  return std::string(text_of(ByteView(digest)));
}

}  // namespace

Taken InboxTable::take(const StoredPush& push, std::size_t& room) {
  const std::string id = lower(push.message_id);
  if (is_known_.exists(id)) return Taken::kSeen;
  const std::string digest = digest_of(push);
  if (is_sealed(push) && is_copy_.exists(Blob{digest})) return Taken::kReplayed;
  if (room == 0) return Taken::kFull;
  --room;
  remember_.run(id, Blob{digest});
  insert_.run(database_.last_row(), id, push.sender_key, push.target, push.priority,
              push.created_at, push.nonce, push.ciphertext);
  return Taken::kNew;
}

Result<std::vector<Taken>> InboxTable::take_in(const std::vector<StoredPush>& pushes) {
  std::vector<Taken> answers;
  answers.reserve(pushes.size());
  std::size_t left = room();
  for (const StoredPush& push : pushes) answers.push_back(take(push, left));
  if (std::find(answers.begin(), answers.end(), Taken::kNew) != answers.end()) {
    forget_.run(limit_of(options_.seen_messages));
  }
  return answers;
}

Result<std::vector<StoredPush>> InboxTable::lease(std::size_t most, std::string_view holder) {
  std::vector<StoredPush> pushes;
  std::vector<std::int64_t> numbers;
  free_ones_.each(
      [&](const Statement& row) {
        pushes.push_back(push_of(row));
        numbers.push_back(row.number(7));
      },
      limit_of(most));
  for (const std::int64_t number : numbers) lease_.run(holder, number);
  return pushes;
}

Result<std::vector<std::string>> InboxTable::confirm(const std::vector<std::string>& message_ids,
                                                     std::string_view holder) {
  std::vector<std::string> confirmed;
  for (const std::string& id : message_ids) {
    if (confirm_.run(lower(id), holder) > 0) confirmed.push_back(id);
  }
  if (!confirmed.empty()) drop_read_.run(limit_of(options_.kept_messages));
  return confirmed;
}

Status InboxTable::give_back(const std::vector<std::string>& message_ids, std::string_view holder) {
  for (const std::string& id : message_ids) give_back_.run(lower(id), holder);
  return Done{};
}

Result<std::vector<StoredPush>> InboxTable::unread(std::size_t most) {
  std::vector<StoredPush> pushes;
  unread_.each([&](const Statement& row) { pushes.push_back(push_of(row)); }, limit_of(most));
  std::reverse(pushes.begin(), pushes.end());
  return pushes;
}

Result<std::vector<StoredPush>> InboxTable::history(std::size_t most) {
  std::vector<StoredPush> pushes;
  history_.each([&](const Statement& row) { pushes.push_back(push_of(row)); }, limit_of(most));
  return pushes;
}

std::size_t InboxTable::room() {
  const auto unread = static_cast<std::size_t>(count_unread_.count());
  if (database_.failed() || unread >= options_.inbox_messages) return 0;
  return options_.inbox_messages - unread;
}

std::vector<std::string> InboxTable::holders() {
  std::vector<std::string> found;
  holders_.each([&](const Statement& row) { found.push_back(row.string(0)); });
  return found;
}

void InboxTable::free(std::string_view holder) { free_.run(holder); }

}  // namespace signet::client
