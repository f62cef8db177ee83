// HeldRequest is what a connection keeps of a request: one that is unfinished, one whose handshake
// waits for its answer, or one that moves to another shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace signet::net {

// HeldRequest is owned by one connection and used on its thread. Ending it wipes `bytes`, since a
// head may carry a token.
class HeldRequest {
 public:
  HeldRequest() = default;
  HeldRequest(const HeldRequest&) = delete;
  HeldRequest& operator=(const HeldRequest&) = delete;
  ~HeldRequest();

  std::string bytes;           // received, not yet reported
  std::size_t wanted = 0;      // the request is this long; 0 while that is unknown
  std::string key;             // of the handshake that waits for its answer
  std::uint32_t moves_to = 0;  // the shard where it goes on, once that is said
  bool is_large = false;       // its body is over what every request may have

  // Counts what `bytes` takes now in `all`, which outlives this or is left by uncount(). Only what
  // came is counted, never what was announced: who sends nothing takes nobody's place. False where
  // `all` is over `most` with it; it counts all the same until it ends.
  bool count(std::size_t& all, std::size_t most);
  void uncount();
  bool is_counted() const { return all_ != nullptr; }

 private:
  std::size_t* all_ = nullptr;
  std::size_t counted_ = 0;
};

}  // namespace signet::net
