// Penalties make a key wait that fails again and again: whoever guesses secrets, or sends proofs
// that nobody can believe, is slowed down before the next proof is looked at. Time is Elapsed.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "crypto/hash.h"

namespace signet::trust {

struct PenaltyOptions {
  // Failures within `window` until the first wait: a person who mistypes, a clock that is off.
  std::size_t free_failures = 5;
  std::chrono::nanoseconds window = std::chrono::seconds(60);
  std::chrono::nanoseconds first = std::chrono::seconds(1);  // doubles with each further failure
  std::chrono::nanoseconds most = std::chrono::seconds(60);  // one guess a minute finds nothing
  std::size_t max_keys = 16'384;                             // remembered; some 2 MiB
};

// Penalties remembers at most `max_keys` keys that failed lately. When another one fails, the one
// whose last failure is the longest ago is forgotten: who has that many addresses is not stopped by
// address, and making strangers wait for him would do his work. Owner thread only.
class Penalties {
 public:
  using Key = std::array<unsigned char, 16>;  // PeerAddress::limit_key()

  explicit Penalties(const PenaltyOptions& options) : options_(options) {}

  // The key gave a proof that does not hold. What was refused because of must_wait() is no failure:
  // counting it would let a client that retries too soon never in again. True when the key has to
  // wait from now on and had not to before, for the one line that an operator reads.
  bool failed(const Key& key, Elapsed now);

  // The key gave one that holds. That takes back one failure, not all: else who owns one good key
  // could wash off his guesses at others', and an office would still wait for its one bad client.
  void succeeded(const Key& key, Elapsed now);

  // How long until the key may try again; nullopt: now.
  std::optional<std::chrono::nanoseconds> must_wait(const Key& key, Elapsed now) const;

  std::size_t size() const { return places_.size(); }

 private:
  struct Record {
    Key key;
    std::vector<Elapsed> failures;  // within the window, oldest first; empty once it waits
    std::uint32_t steps = 0;        // waits so far; 0: it is still free
    Elapsed until{};                // the last wait's end
  };
  using Place = std::list<Record>::iterator;

  Record& record_of(const Key& key);
  void forget_old(Record& record, Elapsed now) const;
  void forget(Place place);
  std::chrono::nanoseconds wait_of(std::uint32_t steps) const;

  const PenaltyOptions options_;
  std::list<Record> records_;  // the one that failed last comes first
  std::unordered_map<Key, Place, crypto::KeyedHash> places_;
};

}  // namespace signet::trust
