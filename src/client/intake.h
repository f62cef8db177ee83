// Intake takes what the broker pushes: on the own disk first, then confirmed to the broker, so that
// a message is always kept by one of the two. Keys of channels go to where keys are kept, never to
// a reader. Owned by the client's thread.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "client/outbox_pump.h"
#include "client/requests.h"
#include "client/sealing.h"
#include "client/state.h"
#include "dialects/claudemesh_client.h"

namespace signet::client {

class Intake {
 public:
  // `state`, `sealing`, `pump` outlive it.
  Intake(const std::string& mesh_id, State& state, Sealing& sealing, OutboxPump& pump)
      : mesh_id_(mesh_id), state_(state), sealing_(sealing), pump_(pump) {}

  // Beyond what a true broker leaves unconfirmed, nothing is taken; it is not confirmed either.
  void on_push(dialects::PushedMessage push);

  // Takes in what came, and what had no room before. Answers the senders (hex64) of what is new.
  // Fails for a disk that refuses: it is tried again at the next call.
  Result<std::vector<std::string>> settle(const Say& say);

  // The broker pushes again, on the next connection, what was not confirmed.
  void disconnected();

  bool has_waiting() const { return !waiting_.empty(); }

 private:
  enum class KeyMessageFate : std::uint8_t { kNone, kTaken, kNotNow };
  // kNotNow: the disk refuses; it is not confirmed and comes again with the next connection.
  KeyMessageFate take_key_message(const dialects::PushedMessage& push);
  Result<std::vector<std::string>> take_in(const Say& say);

  const std::string mesh_id_;
  State& state_;
  Sealing& sealing_;
  OutboxPump& pump_;
  std::vector<dialects::PushedMessage> fresh_;
  std::vector<StoredPush> waiting_;  // not on disk yet, in order
  std::size_t held_bytes_ = 0;       // of the bodies of both
};

// The keys of channels that a state keeps, for Sealing::open.
KeyLookup keys_of(const State& state);

// The body of a push as Sealing reads it. Borrows both.
PushedBody body_of(std::string_view mesh_id, const StoredPush& push);

}  // namespace signet::client
