// Reader opens what the inbox keeps: a stored push becomes the message that a program reads.
// Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "client/sealing.h"
#include "client/state.h"

namespace signet::client {

class Reader {
 public:
  // `own` and `state` outlive it.
  Reader(const std::string& mesh_id, const crypto::SecretKey& own, const State& state);

  // `sender_name` is for people, and given by who knows it.
  Message read(const StoredPush& push, std::string sender_name);

 private:
  const std::string mesh_id_;
  const State& state_;
  std::mutex mutex_;
  Sealing sealing_;  // under mutex_
};

}  // namespace signet::client
