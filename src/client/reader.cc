#include "client/reader.h"

#include "client/intake.h"

namespace signet::client {

Reader::Reader(const std::string& mesh_id, const crypto::SecretKey& own, const State& state)
    : mesh_id_(mesh_id), state_(state), sealing_(mesh_id, own) {}

Message Reader::read(const StoredPush& push, std::string sender_name) {
  const std::lock_guard lock(mutex_);
  const Opened opened = sealing_.open(body_of(mesh_id_, push), keys_of(state_));
  Message message;
  message.id = push.message_id;
  message.mesh_id = mesh_id_;
  message.sender_key = push.sender_key;
  message.sender_name = std::move(sender_name);
  message.kind = opened.kind;
  message.target = push.target;
  message.priority = push.priority;
  message.created_at = push.created_at;
  message.sealed = opened.is_sealed();
  if (const std::string* text = opened.text()) message.text = *text;
  message.why = std::string(opened.why());
  return message;
}

}  // namespace signet::client
