// PulseMesh v1 with Signet's additions: JSON text frames, topics at /ws/mesh/{topic} and frames
// from node to node at /ws/node/{id}. Both begin with one handshake.
// Normative text: protocol/pulsemesh.md; vectors: protocol/vectors/pulsemesh.json.
#pragma once

#include "dialects/dialect.h"
#include "wire/json.h"

namespace signet::dialects {

// What both paths answer, and how. A reply that this format does not have is an empty text: it
// answers a publication with nothing, and has lists over HTTP only.
class PulseMeshFormat : public Dialect {
 public:
  // One format to whoever binds it to a mesh or counts it, at either path.
  std::string_view name() const final { return "pulsemesh"; }
  // Unproven, the frame is a SecretHello or a BadHandshake.
  Verb read(std::string_view frame, Stage stage) override;
  std::string write(const Reply& reply) const override;

 protected:
  virtual Verb read_admitted(wire::JsonValue frame) = 0;  // an object

 private:
  wire::JsonDocument document_;  // of the last frame; verbs borrow from it
};

// A client of one topic: each later frame is a pulse, to be published there.
class PulseMesh final : public PulseMeshFormat {
 public:
  std::optional<Opening> opens(std::string_view path, std::string_view query) const override;

 private:
  Verb read_admitted(wire::JsonValue frame) override;
};

// A node: each later frame is for the node that its `target` names.
class PulseMeshNode final : public PulseMeshFormat {
 public:
  std::optional<Opening> opens(std::string_view path, std::string_view query) const override;

 private:
  Verb read_admitted(wire::JsonValue frame) override;
};

}  // namespace signet::dialects
