#include "hub_jobs.h"

#include <utility>

#include "hub_protocol.h"
#include "websocket_protocol.h"
#include "wire/json.h"

namespace signet::bench {
namespace {

constexpr std::string_view kOpened = "0{";
constexpr std::string_view kPing = "2";
constexpr std::string_view kPong = "3";
constexpr std::string_view kQueued = R"("status":"queued")";
constexpr std::string_view kWorld =
    R"(42["generate_world",{"config":{"schema_version":"1.0",)"
    R"("world":{"id":"world_bench","name":"Small","gravity":[0,-9.8,0]},)"
    R"("scene":{"id":"scene_a","ambientLight":[0.1,0.2,0.3],"skybox":"dusk"},)"
    R"("entities":[{"id":"e0","type":"npc",)"
    R"("transform":{"position":[0,0,0],"rotation":[0,0,0],"scale":[1,1,1]},)"
    R"("material":{"shader":"pbr","texture":"stone","color":[1,1,1]},)"
    R"("components":{"mesh":"cube","collider":"box"}}],"quests":[]}}])";

// A socket of one namespace, which it joins with a token.
class HubSocket : public WebSocketProtocol {
 public:
  // `nsp` is empty, or "/engine,".
  HubSocket(std::string host, std::string token, std::string_view nsp)
      : WebSocketProtocol(std::move(host), std::string(kHubPath), ""),
        token_(std::move(token)),
        nsp_(nsp) {}

 protected:
  bool is_event(std::string_view text, std::string_view name) const {
    const std::string head = "42" + nsp_ + "[\"" + std::string(name) + "\"";
    return text.starts_with(head);
  }
  virtual void on_joined() {}
  virtual void on_event(std::string_view text, ProtocolEvents& events) = 0;

 private:
  void on_open(ProtocolEvents&) override {}  // the server speaks first

  void on_text(std::string_view text, ProtocolEvents& events) override {
    if (text == kPing) return say(kPong);
    if (text.starts_with(kOpened)) return say("40" + nsp_ + auth());
    if (text.starts_with("40")) return on_joined();
    if (text.starts_with("41") || text == "1") return events.on_refused("closed");
    if (text.starts_with("44")) return events.on_refused(text);
    on_event(text, events);
  }

  std::string auth() const {
    wire::JsonWriter json;
    json.object().key("token").value(token_);
    return json.end().take();
  }

  const std::string token_;
  const std::string nsp_;
};

class WorldUser final : public HubSocket {
 public:
  WorldUser(std::string host, std::string token)
      : HubSocket(std::move(host), std::move(token), "") {}

  void send(std::string& out, std::string_view, MessageIndex, std::string_view) override {
    append_text(out, kWorld);
  }

 private:
  void on_event(std::string_view text, ProtocolEvents& events) override {
    if (is_event(text, "job_error")) return events.on_refused(text);
    if (is_event(text, "job_status") && text.find(kQueued) != std::string_view::npos) {
      return events.on_push(text_after(text, R"("jobId":")"));
    }
    if (is_event(text, "presence_update") && !std::exchange(is_ready_, true)) events.on_ready();
  }

  bool is_ready_ = false;
};

class IdleEngine final : public HubSocket {
 public:
  IdleEngine(std::string host, std::string token)
      : HubSocket(std::move(host), std::move(token), "/engine,") {}

 private:
  void on_joined() override { say(R"(42/engine,["engine_ready",{"dialect":"engine_job"}])"); }

  void on_event(std::string_view text, ProtocolEvents& events) override {
    if (is_event(text, "ready_ack")) return events.on_ready();
    if (is_event(text, "engine_job")) events.on_push(text_after(text, R"("job_id":")"));
  }
};

}  // namespace

Result<std::string> hub_engine_token(std::string_view engine, std::string_view secret,
                                     WallTime now) {
  return hub_token({std::string(engine), {}, "engine"}, secret, now);
}

std::unique_ptr<Protocol> hub_world_protocol(std::string host, std::string token) {
  return std::make_unique<WorldUser>(std::move(host), std::move(token));
}

std::unique_ptr<Protocol> hub_engine_protocol(std::string host, std::string token) {
  return std::make_unique<IdleEngine>(std::move(host), std::move(token));
}

}  // namespace signet::bench
