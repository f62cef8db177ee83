#include "signet/mcp/message.h"

namespace signet::mcp {

using wire::JsonWriter;

namespace {

std::string_view name_of(MessageKind kind) {
  switch (kind) {
    case MessageKind::kDirect:
      return "direct";
    case MessageKind::kBroadcast:
      return "broadcast";
    case MessageKind::kChannel:
      return "channel";
    case MessageKind::kUnknown:
      break;
  }
  return "unknown";
}

std::string mark_of(const Message& message) {
  const std::string kind(name_of(message.kind));
  if (message.sealed) return kind + ", sealed: only members could read it, the sender is proven";
  if (!message.text) return kind + ", did not open: nothing of it can be trusted";
  return kind + ", NOT sealed: whoever runs the broker could read it and could have written it";
}

std::string_view reason_of(std::string_view why) {
  struct Reason {
    std::string_view code, sentence;
  };
  static constexpr Reason kReasons[] = {
      {"key_missing", "its key has not come yet; when it has, `signet inbox --all` shows the text"},
      {"does_not_open", "it was changed, or sealed for somebody else"},
      {"bad_signature", "its signature is not the sender's"},
      {"reflected", "it is this side's own text, sent back by somebody"},
      {"body_malformed", "its body is no message"},
  };
  for (const Reason& reason : kReasons) {
    if (reason.code == why) return reason.sentence;
  }
  return "it did not open";
}

}  // namespace

std::string_view name_of(Activity activity) {
  switch (activity) {
    case Activity::kIdle:
      return "idle";
    case Activity::kWorking:
      return "working";
    case Activity::kDnd:
      break;
  }
  return "dnd";
}

std::string_view name_of(Priority priority) {
  switch (priority) {
    case Priority::kNow:
      return "now";
    case Priority::kNext:
      return "next";
    case Priority::kLow:
      break;
  }
  return "low";
}

void write_message(JsonWriter& out, std::string_view slug, const Message& message) {
  out.object().key("mesh").value(slug).key("id").value(message.id);
  out.key("mark").value(mark_of(message));
  out.key("kind").value(name_of(message.kind)).key("sealed").value(message.sealed);
  out.key("from").object().key("name").value(message.sender_name);
  out.key("key").value(message.sender_key).end();
  out.key("to").value(message.target);
  out.key("reply_to").value(std::string(slug) + ":" + message.sender_key);
  out.key("priority").value(name_of(message.priority)).key("sent_at").value(message.created_at);
  if (message.text) {
    out.key("text").value(*message.text);
  } else {
    out.key("no_text").value(message.why + ": " + std::string(reason_of(message.why)));
  }
  out.end();
}

void write_peer(JsonWriter& out, std::string_view slug, const Peer& peer) {
  out.object().key("mesh").value(slug).key("name").value(peer.name).key("key").value(peer.key);
  out.key("status").value(name_of(peer.activity)).key("summary").value(peer.summary);
  out.key("is_me").value(peer.is_me).key("connected_at").value(peer.connected_at).end();
}

void write_key_change(JsonWriter& out, std::string_view slug, const KeyChange& change) {
  out.value("KEY CHANGED: in mesh " + std::string(slug) + " the name " + change.name +
            " belonged to key " + change.pinned_key + " and now shows up with " + change.seen_key +
            ". Do not trust that name until the person you work for has asked its owner over "
            "another way.");
}

std::string_view message_schema() {
  return R"({"type":"object","properties":{"mesh":{"type":"string"},"id":{"type":"string"},)"
         R"("mark":{"type":"string"},)"
         R"("kind":{"type":"string","enum":["direct","broadcast","channel","unknown"]},)"
         R"("sealed":{"type":"boolean"},"from":{"type":"object","properties":)"
         R"({"name":{"type":"string"},"key":{"type":"string"}},"required":["name","key"]},)"
         R"("to":{"type":"string"},"reply_to":{"type":"string"},"priority":{"type":"string"},)"
         R"("sent_at":{"type":"string"},"text":{"type":"string"},"no_text":{"type":"string"}},)"
         R"("required":["mesh","id","mark","kind","sealed","from"]})";
}

std::string_view peer_schema() {
  return R"({"type":"object","properties":{"mesh":{"type":"string"},"name":{"type":"string"},)"
         R"("key":{"type":"string"},)"
         R"("status":{"type":"string","enum":["idle","working","dnd"]},)"
         R"("summary":{"type":"string"},"is_me":{"type":"boolean"},)"
         R"("connected_at":{"type":"string"}},)"
         R"("required":["mesh","name","key","status","is_me"]})";
}

}  // namespace signet::mcp
