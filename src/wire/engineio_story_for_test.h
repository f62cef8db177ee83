// The fixture of stories about an EngineSession: what its owner hears, as lines.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "wire/engineio_session.h"

namespace signet::wire {

using Lines = std::vector<std::string>;

constexpr EngineSocket kCarrier = EngineSocket::kCarrier;
constexpr EngineSocket kProbe = EngineSocket::kProbe;

inline const char* name_of(EngineClosed why) {
  switch (why) {
    case EngineClosed::kByPeer:
      return "by peer";
    case EngineClosed::kByServer:
      return "by server";
    case EngineClosed::kSocketClosed:
      return "socket closed";
    case EngineClosed::kPingTimeout:
      return "ping timeout";
    case EngineClosed::kBadPayload:
      return "bad payload";
    case EngineClosed::kTwoPolls:
      return "two polls";
    case EngineClosed::kSlow:
      return "slow";
  }
  return "";
}

// A session under the settings of the conformance suite, and what it said since one last asked.
class EngineStory : public ::testing::Test, protected EngineEvents {
 protected:
  void answer(EngineRequest request, bool ok, std::string_view body) override {
    said_.push_back(std::to_string(request) + (ok ? " 200 " : " 400 ") + std::string(body));
  }
  void send_on(EngineSocket socket, bool binary, std::string_view payload) override {
    said_.push_back((socket == kCarrier ? "carrier " : "probe ") + std::string(binary ? "b:" : "") +
                    std::string(payload));
    if (on_frame_sent) on_frame_sent();
  }
  void on_upgraded() override {
    said_.emplace_back("upgraded");
    if (when_upgraded) when_upgraded();
  }
  void drop(EngineSocket socket) override {
    said_.emplace_back(socket == kCarrier ? "drop carrier" : "drop probe");
  }
  void on_message(bool binary, std::string_view data) override {
    said_.push_back((binary ? "message b:" : "message ") + std::string(data));
    if (when_told) when_told(binary, data);
  }
  void on_closed(EngineClosed why) override {
    said_.push_back("closed " + std::string(name_of(why)));
  }

  Lines said() { return std::exchange(said_, {}); }
  std::string line() {
    Lines lines = said();
    return lines.size() == 1 ? lines.front() : std::to_string(lines.size()) + " lines";
  }

  void begin_polling() {
    session.open_by_poll(99, now);
    said();
  }
  void begin_on_socket() {
    session.open_by_socket(now);
    said();
  }
  void begin_probing() {
    begin_polling();
    ASSERT_TRUE(session.offer_socket(now));
    session.on_frame(kProbe, false, "2probe", now);
    ASSERT_EQ(said(), Lines{"probe 3probe"});
  }
  void begin_upgraded() {
    begin_probing();
    session.on_frame(kProbe, false, "5", now);
    ASSERT_EQ(said(), Lines{"upgraded"});
  }
  // The application of the suite says back what it is told, and its owner flushes after each turn.
  void echo() {
    when_told = [this](bool binary, std::string_view data) { session.send(binary, data); };
  }
  void poll(EngineRequest request) { session.on_poll(request, now); }
  void post(EngineRequest request, std::string_view body) {
    session.on_post(request, body, now);
    session.flush();
  }
  void frame(std::string_view text) { session.on_frame(kCarrier, false, text, now); }
  void probe(std::string_view text) { session.on_frame(kProbe, false, text, now); }
  void sleep(std::chrono::milliseconds time) {  // the owner's timer goes off whenever it is due
    const Elapsed end = now + time;
    while (session.due() <= end) session.on_time(now = session.due());
    now = end;
  }

  std::function<void(bool, std::string_view)> when_told;
  std::function<void()> when_upgraded;
  std::function<void()> on_frame_sent;
  EngineOptions options{.ping_interval = std::chrono::milliseconds(300),
                        .ping_timeout = std::chrono::milliseconds(200)};
  Elapsed now{std::chrono::seconds(7)};
  EngineSession session{options, *this, "sid-1"};

 private:
  Lines said_;
};

}  // namespace signet::wire
