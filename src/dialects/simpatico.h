// SecureWebSocket (Simpatico): the server challenges, then envelopes go from key to key.
// Normative text: protocol/securewebsocket.md; vectors: protocol/vectors/securewebsocket.json.
#pragma once

#include <string>

#include "dialects/dialect.h"
#include "wire/json.h"

namespace signet::dialects {

inline constexpr std::size_t kMaxRelayFrameBytes = 65'536;  // of the format; over: 1009
inline constexpr std::size_t kMaxShownTypeBytes = 64;       // of an unexpected type in the answer

// Reads ChallengeResponse or BadRegistration before the proof, then RelayEnvelope. A frame that is
// no object is a Misspoken then: RelayRefused with kMissingTypeMessage is what the page answers.
// Writes Challenge, Registered, RegisterRefused, RelayRefused and RelayDelivered; any other reply
// ends the process.
class Simpatico final : public Dialect {
 public:
  std::string_view name() const override { return "simpatico"; }
  std::optional<Opening> opens(std::string_view path, std::string_view query) const override;
  Verb read(std::string_view frame, Stage stage) override;
  std::string write(const Reply& reply) const override;

 private:
  Verb read_response();

  wire::JsonDocument document_;  // of the last frame; verbs borrow from it
  std::string shown_type_;       // of an unexpected frame, fit to be shown
};

}  // namespace signet::dialects
