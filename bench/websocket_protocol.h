// WebSocketProtocol is what the generator's formats over WebSockets have in common: the upgrade,
// then text frames, with every ping answered.
#pragma once

#include <array>
#include <string>

#include "protocol.h"
#include "wire/websocket_frame.h"

namespace signet::bench {

class WebSocketProtocol : public Protocol, private wire::FrameEvents {
 public:
  // Asks for `path` and says `first` once that is granted. With nothing to say it is ready then: a
  // connection that never says who it is.
  WebSocketProtocol(std::string host, std::string path, std::string first);

  void start(std::string& out) final;
  void receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) final;
  void send(std::string&, std::string_view, MessageIndex, std::string_view) override {}

 protected:
  // The upgrade is granted.
  virtual void on_open(ProtocolEvents& events);
  virtual void on_text(std::string_view text, ProtocolEvents& events);
  void append_text(std::string& out, std::string_view text);
  // Answers at once. REQUIRES: within on_open or on_text.
  void say(std::string_view text) { append_text(*out_, text); }

  // From now on a text that begins with `prefix` is only counted: its head is read and its length
  // skipped, so that a thousand subscribers cost the generator less than they cost a server. Others
  // still come to on_text.
  void count_texts(std::string_view prefix) { counted_ = prefix; }

 private:
  void open(std::string& out, std::size_t head_bytes);
  void feed(std::span<char> bytes);
  void count(std::span<char> bytes);
  bool on_message(wire::MessageKind kind, std::string_view text) final;
  bool on_ping(std::string_view payload) final;
  bool on_pong(std::string_view payload) final;
  void on_close(std::uint16_t code, std::string_view reason) final;

  const std::string host_;
  const std::string path_;
  const std::string first_;
  std::array<unsigned char, 4> mask_{};
  wire::FrameReader reader_{wire::Role::kClient};
  wire::FrameLimits limits_{.max_message_bytes = 1 << 20, .max_fragments = 1};
  std::string head_;          // of the upgrade's answer, until it is complete
  std::string_view counted_;  // the prefix; empty: every text is read
  std::string held_;          // while counting: a frame that has not come whole
  bool upgraded_ = false;
  std::string* out_ = nullptr;        // of the call that runs
  ProtocolEvents* events_ = nullptr;  // likewise
};

// The text of the string member `name`, given as `"name":"`, which must stand without escapes;
// empty when it is absent.
std::string_view text_after(std::string_view frame, std::string_view name);

}  // namespace signet::bench
