// The id of a message that has a client id: made of what both sides know, so that a retry is the
// same message today, after a crash, on any node, and a sender can name a message whose ack it
// never heard.
#pragma once

#include <string_view>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "routing/envelope.h"

namespace signet::dialects {

inline routing::MessageId message_id(std::string_view mesh_id, const crypto::PublicKey& sender,
                                     std::string_view client_id) {
  return crypto::digest16("signet-message-v1", {mesh_id, text_of(sender.bytes), client_id});
}

}  // namespace signet::dialects
