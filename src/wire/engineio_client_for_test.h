// A client, fair or not, with its network and the server's messages, for the tests and the fuzzer
// of EngineSession: plays any steps and notices the first promise that the session breaks.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "wire/engineio_session.h"

namespace signet::wire {

enum class EngineStep : std::uint8_t {
  kPoll,
  kPollGoes,  // its connection does
  kPost,
  kPostPong,
  kPostClose,
  kPostRaw,
  kOffer,
  kProbePing,
  kUpgrade,
  kProbeRaw,
  kProbeCloses,
  kFrame,
  kFramePong,
  kFrameClose,
  kFrameRaw,
  kCarrierCloses,
  kSend,
  kSendAndFlush,
  kFlush,
  kServerCloses,
  kWait,
  kWaitUntilDue,
  kPass,  // of time, without the owner's saying so
};
constexpr int kEngineSteps = 23;

class EngineClient final : public EngineEvents {
 public:
  EngineClient(const EngineOptions& options, bool by_socket)
      : options_(options), session_(options_, *this, "sid"), has_carrier_(by_socket) {
    if (by_socket) {
      session_.open_by_socket(now_);
    } else {
      session_.open_by_poll(request('o'), now_);
    }
    look();
  }

  // The first broken promise; empty while there is none.
  const std::string& fault() const { return fault_; }
  bool is_closed() const { return closed_.has_value(); }
  std::optional<EngineClosed> closed() const { return closed_; }
  bool is_on_socket() const { return session_.is_on_socket(); }
  std::size_t arrived() const { return arrived_; }
  std::size_t taken() const { return taken_; }
  std::size_t refused() const { return refused_; }

  // What a client that keeps the rules might do now; the session survives it.
  bool is_fair(EngineStep step) const {
    const bool polls = !is_closed() && !has_carrier_;
    switch (step) {
      case EngineStep::kPoll:
        return polls && waiting_.empty();
      case EngineStep::kPost:
        return polls;
      case EngineStep::kPostPong:
        return polls && owes_pong_;
      case EngineStep::kOffer:
        return polls && !has_probe_;
      case EngineStep::kProbePing:
      case EngineStep::kProbeRaw:
      case EngineStep::kProbeCloses:
        return has_probe_;
      case EngineStep::kUpgrade:
        return has_probe_ && is_probed_;
      case EngineStep::kFrame:
        return has_carrier_;
      case EngineStep::kFramePong:
        return has_carrier_ && owes_pong_;
      case EngineStep::kSend:
      case EngineStep::kSendAndFlush:
        return session_.buffered() + 1'000 < options_.max_buffered;
      case EngineStep::kFlush:
      case EngineStep::kWait:
      case EngineStep::kWaitUntilDue:
        return true;
      default:
        return false;
    }
  }

  void play(EngineStep step, std::uint8_t argument, std::string_view raw = "4x") {
    step_ = step;
    kept_ = session_.buffered();
    act(step, argument, raw);
    if (is_closed() || is_raw(step)) expected_up_.clear();
    check(expected_up_.empty(), "a message of the client was not taken");
    look();
  }

  // A fair client answers pings as soon as it can, by whatever carries it.
  void keep_alive() {
    if (is_fair(EngineStep::kPoll) && session_.buffered() > 0) play(EngineStep::kPoll, 0);
    play(EngineStep::kFlush, 0);
    if (is_fair(EngineStep::kPostPong)) play(EngineStep::kPostPong, 0);
    if (is_fair(EngineStep::kFramePong)) play(EngineStep::kFramePong, 0);
  }

  // Fetches what is still to come, and finds what never does.
  void settle() {
    if (is_closed()) return;
    play(EngineStep::kFlush, 0);
    if (session_.buffered() > 0) play(EngineStep::kPoll, 0);
    check(is_closed() || expected_.empty(), "a message of the server did not arrive");
  }

  void answer(EngineRequest request, bool ok, std::string_view body) override {
    const auto found = waiting_.find(request);
    if (found == waiting_.end()) return check(false, "an answer to nobody");
    const char kind = found->second;
    waiting_.erase(found);
    check(!is_closed() || (!ok && request == latest_), "an answer after the end");
    if (!ok) {
      ++refused_;
      return check(body.empty(), "a refusal with a body");
    }
    if (kind == 'p') return check(body == "ok", "another answer to a body");
    std::string bytes;
    const auto packets = read_engine_payload(body, body.size() + 1, bytes);
    if (!packets.ok()) return check(false, "an answer that can't be read");
    for (const EnginePacket& packet : *packets) receive(packet, kind == 'o');
  }

  void send_on(EngineSocket socket, bool binary, std::string_view payload) override {
    check(!is_closed(), "a frame after the end");
    check(socket == EngineSocket::kCarrier ? has_carrier_ : has_probe_, "a frame on no socket");
    if (binary) return receive({EnginePacketType::kMessage, true, payload}, false);
    const auto packet = read_engine_packet(payload);
    if (!packet) return check(false, "a frame that can't be read");
    if (socket == EngineSocket::kProbe) {
      check(payload == "3probe", "something else on the probe");
      return;
    }
    receive(*packet, packet->type == EnginePacketType::kOpen);
  }

  void on_upgraded() override {
    check(has_probe_ && !has_carrier_ && !was_upgraded_, "an upgrade of nothing, or a second");
    was_upgraded_ = true;
    has_carrier_ = true;
    has_probe_ = is_probed_ = false;
  }

  void drop(EngineSocket socket) override {
    bool& has = socket == EngineSocket::kCarrier ? has_carrier_ : has_probe_;
    check(has && !is_closed(), "a socket that is not there is dropped");
    has = false;
    is_probed_ = false;
  }

  void on_message(bool binary, std::string_view data) override {
    check(!is_closed(), "a message after the end");
    ++taken_;
    if (is_raw(step_)) return;
    const bool next = !expected_up_.empty() && expected_up_.front() == named(binary, data);
    check(next, "another message than the client's next");
    if (next) expected_up_.pop_front();
  }

  void on_closed(EngineClosed why) override {
    check(!is_closed(), "a second end");
    check(waiting_.empty() || (waiting_.size() == 1 && waiting_.begin()->first == latest_),
          "the end leaves a request without its answer");
    check(may_end(why), "an end that nothing gives a reason for");
    check(!has_probe_ && (!has_carrier_ || why == EngineClosed::kSocketClosed),
          "the end keeps a socket");
    closed_ = why;
    has_carrier_ = false;
  }

 private:
  static constexpr std::size_t kPingCost = 2;  // and its separator

  static bool is_raw(EngineStep step) {
    return step == EngineStep::kPostRaw || step == EngineStep::kFrameRaw;
  }
  static bool is_sending(EngineStep step) {
    return step == EngineStep::kSend || step == EngineStep::kSendAndFlush;
  }

  // What polling can't carry is the same thing on every way.
  static std::string named(bool binary, std::string_view data) {
    std::string name = binary ? "binary " : "text ";
    for (const char c : data) {
      if (binary || c != kEngineSeparator) {
        name += c;
      } else {
        name += "\xef\xbf\xbd";
      }
    }
    return name;
  }

  void check(bool holds, std::string_view what) {
    if (!holds && fault_.empty()) fault_ = what;
  }

  EngineRequest request(char kind) {
    waiting_[++latest_] = kind;
    return latest_;
  }

  void receive(const EnginePacket& packet, bool may_open) {
    switch (packet.type) {
      case EnginePacketType::kOpen:
        return check(may_open, "a second handshake");
      case EnginePacketType::kPing:
        owes_pong_ = true;
        return;
      case EnginePacketType::kMessage: {
        const bool next =
            !expected_.empty() && expected_.front() == named(packet.binary, packet.data);
        check(next, "another message than the server's next");
        if (next) expected_.pop_front();
        ++arrived_;
        return;
      }
      case EnginePacketType::kClose:
      case EnginePacketType::kNoop:
        return;
      case EnginePacketType::kPong:
      case EnginePacketType::kUpgrade:
        return check(false, "a packet that a server never sends");
    }
  }

  // Which steps each end can come from. Time passes in all that take it.
  bool may_end(EngineClosed why) const {
    const auto in = [&](std::initializer_list<EngineStep> steps) {
      return std::find(steps.begin(), steps.end(), step_) != steps.end();
    };
    switch (why) {
      case EngineClosed::kByPeer:
        return in({EngineStep::kPostClose, EngineStep::kFrameClose}) || is_raw(step_);
      case EngineClosed::kByServer:
        return in({EngineStep::kServerCloses});
      case EngineClosed::kSocketClosed:
        return in({EngineStep::kCarrierCloses, EngineStep::kPollGoes});
      case EngineClosed::kPingTimeout:
        return now_ >= heard_ + options_.ping_timeout;
      case EngineClosed::kBadPayload:
        return is_raw(step_) || (in({EngineStep::kPost, EngineStep::kFrame}) && is_big_);
      case EngineClosed::kTwoPolls:
        return in({EngineStep::kPoll});
      case EngineClosed::kSlow:
        return !has_carrier_ &&
               kept_ + (is_sending(step_) ? cost_ : 0) + kPingCost > options_.max_buffered;
    }
    return false;
  }

  // The state between steps.
  void look() {
    check(session_.is_closed() == is_closed(), "an end that nobody was told of");
    check(is_closed() || session_.is_on_socket() == has_carrier_, "a carrier nobody was told of");
    check(waiting_.size() <= 1, "more than one request waits");
    for (const auto& [number, kind] : waiting_) check(kind == 'g', "a body waits for its answer");
    check(waiting_.empty() || (!is_closed() && !has_carrier_),
          "a request waits for what never comes");
    check(waiting_.empty() || !is_probed_ || session_.due() <= now_ + options_.noop_interval,
          "a request waits for a probe");
    check(session_.buffered() <= options_.max_buffered, "more is kept than may be");
    check(session_.buffered() == 0 || (!is_closed() && !has_carrier_), "kept for nobody");
    check(session_.buffered() > 0 || is_closed() || expected_.empty(), "a message is lost");
    check(is_closed() == (session_.due().since_boot == std::chrono::nanoseconds::max()),
          "a session that is over is due, or one that lives is not");
  }

  void act(EngineStep step, std::uint8_t argument, std::string_view raw) {
    switch (step) {
      case EngineStep::kPoll:
        return session_.on_poll(request('g'), now_);
      case EngineStep::kPollGoes: {
        const EngineRequest gone = waiting_.empty() ? latest_ : waiting_.begin()->first;
        waiting_.clear();
        return session_.on_gone(gone);
      }
      case EngineStep::kPost:
        return post_messages(argument);
      case EngineStep::kPostPong:
        return post("3");
      case EngineStep::kPostClose:
        return post("1");
      case EngineStep::kPostRaw:
        return post(raw);
      case EngineStep::kOffer: {
        const bool may = !is_closed() && !has_carrier_ && !has_probe_ && now_ < session_.due();
        if (!session_.offer_socket(now_)) return check(!may, "a WebSocket is refused");
        check(!is_closed() && !has_carrier_ && !has_probe_, "a second WebSocket is taken");
        has_probe_ = true;
        return;
      }
      case EngineStep::kProbePing:
        if (!has_probe_) return;
        is_probed_ = true;
        return session_.on_frame(EngineSocket::kProbe, false, "2probe", now_);
      case EngineStep::kUpgrade:
        return probe_says("5");
      case EngineStep::kProbeRaw:
        return probe_says(raw);
      case EngineStep::kProbeCloses:
        if (!has_probe_) return;
        has_probe_ = is_probed_ = false;
        return session_.on_socket_closed(EngineSocket::kProbe);
      case EngineStep::kFrame:
        return frame_message(argument);
      case EngineStep::kFramePong:
        return frame("3", false);
      case EngineStep::kFrameClose:
        return frame("1", false);
      case EngineStep::kFrameRaw:
        return frame(raw, argument % 4 == 0);
      case EngineStep::kCarrierCloses:
        return session_.on_socket_closed(EngineSocket::kCarrier);
      case EngineStep::kSend:
        return send(argument);
      case EngineStep::kSendAndFlush:
        send(argument);
        return session_.flush();
      case EngineStep::kFlush:
        session_.flush();
        return check(waiting_.empty() || session_.buffered() == 0, "a poll waits for a flush");
      case EngineStep::kServerCloses:
        session_.close();
        return check(is_closed(), "closed, and nobody was told");
      case EngineStep::kWait:
        now_ = now_ + std::chrono::milliseconds(argument);
        return time_passes();
      case EngineStep::kPass:
        now_ = now_ + std::chrono::milliseconds(100 * argument);
        return;
      case EngineStep::kWaitUntilDue:
        if (!is_closed()) now_ = std::max(now_, session_.due());
        return time_passes();
    }
  }

  void time_passes() {
    session_.on_time(now_);
    check(session_.due() > now_, "due at once again");
  }

  void post(std::string_view body) {
    session_.on_post(request('p'), body, now_);
    if (!has_carrier_ && body.starts_with('3')) hear_pong();
  }
  void frame(std::string_view payload, bool binary) {
    if (!has_carrier_) return;
    session_.on_frame(EngineSocket::kCarrier, binary, payload, now_);
    if (!binary && payload.starts_with('3')) hear_pong();
  }
  void probe_says(std::string_view payload) {
    if (!has_probe_) return;
    if (payload == "2probe") is_probed_ = true;
    session_.on_frame(EngineSocket::kProbe, false, payload, now_);
  }
  void hear_pong() {
    owes_pong_ = false;
    heard_ = now_;
  }

  // Up to four messages in one body, text and binary.
  void post_messages(std::uint8_t argument) {
    std::string body;
    for (int i = 0; i <= argument % 4; ++i) {
      const bool binary = ((argument >> i) & 4) != 0;
      const std::string data = "up" + std::to_string(++posted_);
      append_to_engine_payload(body, {EnginePacketType::kMessage, binary, data});
      if (!has_carrier_) expected_up_.push_back(named(binary, data));
    }
    const std::size_t packets = argument % 4 + 1U;
    is_big_ = body.size() > options_.max_payload || packets > options_.max_packets;
    post(body);
  }
  void frame_message(std::uint8_t argument) {
    if (!has_carrier_) return;
    const bool binary = argument % 3 == 0;
    const std::string data = "up" + std::to_string(++posted_);
    is_big_ = data.size() + 1 > options_.max_payload;
    expected_up_.push_back(named(binary, data));
    frame(binary ? data : "4" + data, binary);
  }

  void send(std::uint8_t argument) {
    const bool binary = argument % 3 == 0;
    std::string data = std::to_string(++sent_) + std::string(argument, 'd');
    if (argument % 7 == 0)
      data +=
          "\x1e"
          "4not one of its own";
    if (!is_closed()) expected_.push_back(named(binary, data));
    cost_ = engine_payload_cost({EnginePacketType::kMessage, binary, data});
    session_.send(binary, data);
  }

  const EngineOptions options_;
  Elapsed now_{std::chrono::seconds(100)};
  Elapsed heard_ = now_;  // the client, at the latest; what it says of no ping counts for more here
  std::map<EngineRequest, char> waiting_;  // 'o' the first, 'g' a poll, 'p' a body
  EngineRequest latest_ = 0;
  std::deque<std::string> expected_;     // said by the server, not arrived yet
  std::deque<std::string> expected_up_;  // said by the client in this step, not taken yet
  std::size_t sent_ = 0, posted_ = 0, arrived_ = 0, taken_ = 0, refused_ = 0;
  std::size_t kept_ = 0;  // before the step
  std::size_t cost_ = 0;  // of the last message that was said
  std::optional<EngineClosed> closed_;
  std::string fault_;
  EngineStep step_ = EngineStep::kFlush;
  bool owes_pong_ = false, is_big_ = false, was_upgraded_ = false, is_probed_ = false;
  bool has_probe_ = false;
  EngineSession session_;
  bool has_carrier_;
};

}  // namespace signet::wire
