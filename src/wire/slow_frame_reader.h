// The slow and obvious reading of RFC 6455 that FrameReader is compared with, in its test and by
// the fuzzer. It has all bytes at once, copies everything and looks at one byte at a time.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "wire/websocket_frame.h"

namespace signet::wire {

// FrameTrace is what came of a stream of bytes.
struct FrameTrace {
  std::vector<std::string> events;  // "text 6162", "ping", "close 1000 627965"
  std::string verdict = "ok";       // "ok", "incomplete", or the name of the close reason
  bool operator==(const FrameTrace&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const FrameTrace& trace) {
  for (const std::string& event : trace.events) out << event << "; ";
  return out << trace.verdict;
}

inline std::string event_line(std::string_view name, std::string_view payload) {
  std::string line(name);
  if (!payload.empty()) line.append(" ").append(to_hex(bytes_of(payload)));
  return line;
}

// SlowFrameReader reads one stream, once.
class SlowFrameReader {
 public:
  SlowFrameReader(std::string_view bytes, Role role, const FrameLimits& limits)
      : bytes_(bytes), role_(role), limits_(limits) {}

  FrameTrace read() {
    while (trace_.verdict == "ok" && at_ < bytes_.size() && !closed_) read_frame();
    if (trace_.verdict == "ok" && in_message_ && !closed_) trace_.verdict = "incomplete";
    return trace_;
  }

 private:
  enum class Utf8 { kValid, kUnfinished, kInvalid };

  void fail(std::string_view verdict) { trace_.verdict = verdict; }
  bool next(unsigned& byte) {
    if (at_ == bytes_.size()) {
      fail("incomplete");
      return false;
    }
    byte = static_cast<unsigned char>(bytes_[at_++]);
    return true;
  }

  void read_frame() {
    unsigned first = 0;
    unsigned second = 0;
    if (!next(first)) return;
    const bool fin = first >= 128;
    const unsigned opcode = first % 16;
    const bool control = opcode >= 8;
    if (first / 16 % 8 != 0) return fail("protocol_error");
    if ((opcode > 2 && opcode < 8) || opcode > 10) return fail("protocol_error");
    if (control && !fin) return fail("protocol_error");
    if (opcode == 0 && !in_message_) return fail("protocol_error");
    if ((opcode == 1 || opcode == 2) && in_message_) return fail("protocol_error");

    if (!next(second)) return;
    const bool masked = second >= 128;
    if (masked != (role_ == Role::kServer)) return fail("protocol_error");
    std::uint64_t length = second % 128;
    if (control && length > 125) return fail("protocol_error");
    const int more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (more > 0) length = 0;
    for (int i = 0; i < more; ++i) {
      unsigned byte = 0;
      if (!next(byte)) return;
      length = length * 256 + byte;
    }
    if (more == 2 && length < 126) return fail("protocol_error");
    if (more == 8 && (length < 65536 || length > 0x7fffffffffffffffU)) {
      return fail("protocol_error");
    }
    if (in_message_ && frames_ + 1 > limits_.max_fragments) return fail("too_big");
    if (!control && length > limits_.max_message_bytes) return fail("too_big");
    if (!control && length + message_.size() > limits_.max_message_bytes) return fail("too_big");
    unsigned key[4] = {};
    for (int i = 0; masked && i < 4; ++i) {
      if (!next(key[i])) return;
    }
    read_payload(opcode, fin, length, key);
  }

  void read_payload(unsigned opcode, bool fin, std::uint64_t length, const unsigned (&key)[4]) {
    std::string payload;
    while (payload.size() < length && at_ < bytes_.size()) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      payload.push_back(static_cast<char>(byte ^ key[payload.size() % 4]));
    }
    const bool whole = payload.size() == length;
    if (opcode >= 8) {
      if (in_message_) ++frames_;
      return whole ? read_control(opcode, payload) : fail("incomplete");
    }
    if (opcode != 0) {
      in_message_ = true;
      text_ = opcode == 1;
      frames_ = 0;
    }
    ++frames_;
    message_ += payload;
    const Utf8 utf8 = text_ ? check_utf8(message_) : Utf8::kValid;
    if (utf8 == Utf8::kInvalid) return fail("invalid_utf8");
    if (!whole) return fail("incomplete");
    if (!fin) return;
    if (utf8 == Utf8::kUnfinished) return fail("invalid_utf8");
    trace_.events.push_back(event_line(text_ ? "text" : "binary", message_));
    in_message_ = false;
    message_.clear();
  }

  void read_control(unsigned opcode, const std::string& payload) {
    if (opcode == 9) return trace_.events.push_back(event_line("ping", payload));
    if (opcode == 10) return trace_.events.push_back(event_line("pong", payload));
    if (payload.size() == 1) return fail("protocol_error");
    int code = 1005;
    if (payload.size() >= 2) {
      code = static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
      const bool allowed =
          (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
          (code >= 3000 && code < 5000);
      if (!allowed) return fail("protocol_error");
    }
    const std::string reason = payload.size() > 2 ? payload.substr(2) : "";
    if (check_utf8(reason) != Utf8::kValid) return fail("invalid_utf8");
    trace_.events.push_back(event_line("close " + std::to_string(code), reason));
    closed_ = true;
  }

  static bool is_character(std::string_view s) {
    const auto bits = [&](std::size_t i, unsigned mask) {
      return static_cast<unsigned char>(s[i]) & mask;
    };
    const unsigned keep[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned code = bits(0, keep[s.size()]);
    for (std::size_t i = 1; i < s.size(); ++i) {
      if (bits(i, 0xc0) != 0x80) return false;
      code = code * 64 + bits(i, 0x3f);
    }
    return code >= smallest[s.size()] && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  }

  static Utf8 check_utf8(std::string_view text) {
    while (!text.empty()) {
      const auto first = static_cast<unsigned char>(text[0]);
      const std::size_t length = first < 0x80              ? 1
                                 : first / 32 == 0xc0 / 32 ? 2
                                 : first / 16 == 0xe0 / 16 ? 3
                                 : first / 8 == 0xf0 / 8   ? 4
                                                           : 0;
      if (length == 0) return Utf8::kInvalid;
      if (text.size() < length) {  // could any bytes complete it?
        const std::string low = std::string(text) + std::string(length - text.size(), '\x80');
        const std::string high = std::string(text) + std::string(length - text.size(), '\xbf');
        return is_character(low) || is_character(high) ? Utf8::kUnfinished : Utf8::kInvalid;
      }
      if (!is_character(text.substr(0, length))) return Utf8::kInvalid;
      text.remove_prefix(length);
    }
    return Utf8::kValid;
  }

  std::string_view bytes_;
  Role role_;
  FrameLimits limits_;
  std::size_t at_ = 0;
  bool closed_ = false;
  bool in_message_ = false;
  bool text_ = false;
  std::size_t frames_ = 0;
  std::string message_;
  FrameTrace trace_;
};

inline FrameTrace read_frames_slowly(std::string_view bytes, Role role, const FrameLimits& limits) {
  return SlowFrameReader(bytes, role, limits).read();
}

// TracingEvents writes down what FrameReader reports.
class TracingEvents final : public FrameEvents {
 public:
  bool on_message(MessageKind kind, std::string_view payload) override {
    return add(kind == MessageKind::kText ? "text" : "binary", payload);
  }
  bool on_ping(std::string_view payload) override { return add("ping", payload); }
  bool on_pong(std::string_view payload) override { return add("pong", payload); }
  void on_close(std::uint16_t code, std::string_view reason) override {
    add("close " + std::to_string(code), reason);
  }
  std::vector<std::string> events;

 private:
  bool add(const std::string& name, std::string_view payload) {
    events.push_back(event_line(name, payload));
    return true;
  }
};

// Feeds `bytes` to a FrameReader in pieces that end at `cuts` (rising positions) and at the end.
// Every piece is a copy of its own size, so that a sanitizer sees a read beyond it.
inline FrameTrace read_frames(std::string_view bytes, Role role, const FrameLimits& limits,
                              const std::vector<std::size_t>& cuts) {
  FrameReader reader(role);
  TracingEvents traced;
  FrameTrace trace;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(end));
    if (const auto reason = reader.feed(piece, limits, traced)) trace.verdict = name_of(*reason);
    at = end;
  }
  if (trace.verdict == "ok" && reader.held_bytes() > 0) trace.verdict = "incomplete";
  trace.events = std::move(traced.events);
  return trace;
}

}  // namespace signet::wire
