// claudemesh v0.1 with Signet's additions: JSON text frames at /ws.
// Normative text: protocol/claudemesh.md; vectors: protocol/vectors/claudemesh.json.
#pragma once

#include "dialects/dialect.h"
#include "wire/json.h"

namespace signet::dialects {

// Bounds of fields that a peer fills and the server keeps.
inline constexpr std::size_t kMaxClientIdBytes = 128;   // a UUID is 36
inline constexpr std::size_t kMaxHintBytes = 1'024;     // a path; PATH_MAX is for kernels
inline constexpr std::size_t kMaxSummaryBytes = 2'048;  // two screens of text

class Claudemesh final : public Dialect {
 public:
  std::string_view name() const override { return "claudemesh"; }
  std::optional<Opening> opens(std::string_view path, std::string_view) const override {
    return path == "/ws" ? std::optional<Opening>(OpensMail{}) : std::nullopt;
  }
  Verb read(std::string_view frame, Stage stage) override;
  std::string write(const Reply& reply) const override;

 private:
  wire::JsonDocument document_;  // of the last frame; verbs borrow from it
};

}  // namespace signet::dialects
