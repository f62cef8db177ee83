#include "wire/websocket_frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "wire/utf8.h"

namespace signet::wire {
namespace {

constexpr std::size_t kMaxHeader = 14;    // 2 + 8 of length + 4 of mask
constexpr std::size_t kMaxControl = 125;  // section 5.5
constexpr std::uint16_t kNoCode = 1005;   // section 7.4.1: stands for "none was given"
constexpr unsigned char kFin = 0x80;
constexpr unsigned char kReserved = 0x70;
constexpr unsigned char kMasked = 0x80;

using Mask = std::array<unsigned char, 4>;

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// The codes that may travel: those of section 7.4.1 and its registry, and the private ranges.
bool may_be_sent(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

// Applies `mask` to `bytes`, whose first byte meets mask[phase], a word at a time.
void apply_mask(std::span<char> bytes, const Mask& mask, std::size_t phase) {
  std::array<char, 8> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(mask[(phase + i) % 4]);
  std::uint64_t word_key;
  std::memcpy(&word_key, key.data(), sizeof word_key);
  char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 32; left -= 32, at += 32) {  // four words a turn, which compilers make vectors of
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), at, sizeof words);
    for (std::uint64_t& word : words) word ^= word_key;
    std::memcpy(at, words.data(), sizeof words);
  }
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= word_key;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ key[i]);
}

std::uint64_t big_endian(std::span<const char> bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

struct FrameReader::Header {
  Opcode opcode;
  bool fin;
  bool masked;
  Mask mask;
  std::size_t bytes;   // of the header itself
  std::size_t length;  // of the payload
};

struct FrameReader::Partial {
  // A header of which some bytes are missing.
  std::array<char, kMaxHeader> header_bytes{};
  std::size_t header_size = 0;

  // A frame of which payload is missing.
  bool in_frame = false;
  Header frame{};
  std::size_t taken = 0;  // payload bytes read so far
  std::array<char, kMaxControl> control{};

  // A message of which frames are missing, or whose only frame is in pieces.
  bool in_message = false;
  MessageKind kind = MessageKind::kBinary;
  std::size_t frames = 0;
  std::string message;
  Utf8Checker utf8;
};

// Feed is the state of one call: the bytes still to read, and where the outcome goes. Every
// function answers false when reading ends, with error_ set where a rule was broken.
class FrameReader::Feed {
 public:
  Feed(FrameReader& reader, std::span<char> bytes, const FrameLimits& limits, FrameEvents& events)
      : reader_(reader), rest_(bytes), limits_(limits), events_(events) {}

  bool run() {
    bool going = true;
    while (going && has_work()) going = in_frame() ? read_payload() : read_frame();
    return going;
  }
  std::optional<CloseReason> error() const { return error_; }

 private:
  enum class Parsed : std::uint8_t { kWhole, kNeedsMore, kRefused };

  Partial& partial() {
    if (!reader_.partial_) reader_.partial_ = std::make_unique<Partial>();
    return *reader_.partial_;
  }
  bool has_work() const { return !rest_.empty() && !reader_.done_; }
  bool in_frame() const { return reader_.partial_ && reader_.partial_->in_frame; }
  bool in_message() const { return reader_.partial_ && reader_.partial_->in_message; }

  bool refuse(CloseReason reason) {
    error_ = reason;
    return false;
  }
  Parsed refused(CloseReason reason) {
    error_ = reason;
    return Parsed::kRefused;
  }
  std::span<char> take(std::size_t count) {
    const std::span<char> taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  bool read_frame();
  Parsed parse_header(std::span<const char> bytes, Header& header);
  bool first_byte_ok(unsigned char byte);
  bool size_ok(const Header& header, std::uint64_t length);
  bool read_whole_frame(const Header& header);
  bool begin_frame(const Header& header);
  void make_room(Partial& state, std::size_t added);
  bool read_payload();
  bool end_frame();
  bool end_message();
  bool report_message(MessageKind kind, std::string_view payload);
  bool report_control(Opcode opcode, std::string_view payload);
  bool report_close(std::string_view payload);
  void release_if_idle();

  FrameReader& reader_;
  std::span<char> rest_;
  const FrameLimits& limits_;
  FrameEvents& events_;
  std::optional<CloseReason> error_;
};

// Checks the header in the order of its bytes, so that a broken rule gives the same answer wherever
// the bytes are split.
FrameReader::Feed::Parsed FrameReader::Feed::parse_header(std::span<const char> bytes,
                                                          Header& header) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return Parsed::kNeedsMore;
  if (!first_byte_ok(byte(0))) return refused(CloseReason::kProtocolError);
  header.fin = (byte(0) & kFin) != 0;
  header.opcode = static_cast<Opcode>(byte(0) & 0x0f);

  if (bytes.size() < 2) return Parsed::kNeedsMore;
  header.masked = (byte(1) & kMasked) != 0;
  if (header.masked != (reader_.role_ == Role::kServer)) {
    return refused(CloseReason::kProtocolError);
  }
  std::uint64_t length = byte(1) & 0x7f;
  if (is_control(header.opcode) && length > kMaxControl) {
    return refused(CloseReason::kProtocolError);
  }
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (bytes.size() < 2 + extended) return Parsed::kNeedsMore;
  if (extended != 0) {
    length = big_endian(bytes.subspan(2, extended));
    const std::uint64_t shorter = extended == 2 ? 125 : 0xffff;
    if (length <= shorter || length >> 63 != 0) return refused(CloseReason::kProtocolError);
  }
  if (!size_ok(header, length)) return refused(CloseReason::kTooBig);

  header.length = static_cast<std::size_t>(length);
  header.bytes = 2 + extended + (header.masked ? 4 : 0);
  if (bytes.size() < header.bytes) return Parsed::kNeedsMore;
  if (header.masked) std::memcpy(header.mask.data(), bytes.data() + 2 + extended, 4);
  return Parsed::kWhole;
}

bool FrameReader::Feed::first_byte_ok(unsigned char byte) {
  const unsigned opcode = byte & 0x0f;
  if ((byte & kReserved) != 0 || !is_known(opcode)) return false;
  if (is_control(static_cast<Opcode>(opcode))) return (byte & kFin) != 0;
  return (opcode == 0) == in_message();  // a message ends before the next begins
}

bool FrameReader::Feed::size_ok(const Header& header, std::uint64_t length) {
  const std::size_t frames = in_message() ? reader_.partial_->frames : 0;
  if (is_control(header.opcode)) return !in_message() || frames < limits_.max_fragments;
  if (frames >= limits_.max_fragments) return false;
  const std::size_t held = in_message() ? reader_.partial_->message.size() : 0;
  return held <= limits_.max_message_bytes && length <= limits_.max_message_bytes - held;
}

bool FrameReader::Feed::read_frame() {
  Header header{};
  const std::size_t held = reader_.partial_ ? reader_.partial_->header_size : 0;
  if (held == 0) {
    const Parsed parsed = parse_header(rest_, header);
    if (parsed == Parsed::kWhole) {
      take(header.bytes);
      return rest_.size() >= header.length ? read_whole_frame(header) : begin_frame(header);
    }
    if (parsed == Parsed::kRefused) return false;
  }
  // The header is in pieces: gather it where it fits, and give back what was payload already.
  Partial& state = partial();
  const std::size_t added = std::min(kMaxHeader - held, rest_.size());
  std::memcpy(state.header_bytes.data() + held, rest_.data(), added);
  const Parsed parsed = parse_header({state.header_bytes.data(), held + added}, header);
  if (parsed == Parsed::kRefused) return false;
  if (parsed == Parsed::kNeedsMore) {
    take(added);
    state.header_size = held + added;
    return true;
  }
  state.header_size = 0;
  take(header.bytes - held);
  return rest_.size() >= header.length ? read_whole_frame(header) : begin_frame(header);
}

// The usual case: nothing is copied unless the frame is a piece of a message.
bool FrameReader::Feed::read_whole_frame(const Header& header) {
  const bool alone = is_control(header.opcode) || (header.fin && !in_message());
  if (!alone) return begin_frame(header) && (header.length == 0 || read_payload());
  const std::span<char> payload = take(header.length);
  if (header.masked) apply_mask(payload, header.mask, 0);
  if (is_control(header.opcode) && in_message()) ++reader_.partial_->frames;
  release_if_idle();
  const std::string_view text(payload.data(), payload.size());
  if (is_control(header.opcode)) return report_control(header.opcode, text);
  const auto kind = header.opcode == Opcode::kText ? MessageKind::kText : MessageKind::kBinary;
  if (kind == MessageKind::kText && !is_utf8(text)) return refuse(CloseReason::kInvalidUtf8);
  return report_message(kind, text);
}

bool FrameReader::Feed::begin_frame(const Header& header) {
  Partial& state = partial();
  state.in_frame = true;
  state.frame = header;
  state.taken = 0;
  if (is_control(header.opcode)) {
    if (state.in_message) ++state.frames;
  } else {
    if (!state.in_message) {
      state.in_message = true;
      state.kind = header.opcode == Opcode::kText ? MessageKind::kText : MessageKind::kBinary;
    }
    ++state.frames;
  }
  return header.length > 0 || end_frame();
}

// Doubles as a string does by itself, but not past the end of the message, or past the longest one
// while its end is not in sight: no more is held for a message than it may have.
void FrameReader::Feed::make_room(Partial& state, std::size_t added) {
  const std::size_t needed = state.message.size() + added;
  if (needed <= state.message.capacity()) return;
  const std::size_t end = state.frame.fin
                              ? state.message.size() + (state.frame.length - state.taken)
                              : limits_.max_message_bytes;
  std::string larger;  // of its own, since reserve() doubles as well
  larger.reserve(std::max(needed, std::min(2 * state.message.capacity(), end)));
  larger.append(state.message);
  state.message = std::move(larger);
}

bool FrameReader::Feed::read_payload() {
  Partial& state = partial();
  const std::span<char> piece = take(state.frame.length - state.taken);
  if (state.frame.masked) apply_mask(piece, state.frame.mask, state.taken % 4);
  const std::string_view text(piece.data(), piece.size());
  if (is_control(state.frame.opcode)) {
    std::copy(text.begin(), text.end(), state.control.begin() + state.taken);
  } else {
    if (state.kind == MessageKind::kText && !state.utf8.feed(text)) {
      return refuse(CloseReason::kInvalidUtf8);
    }
    make_room(state, text.size());
    state.message.append(text);
  }
  state.taken += piece.size();
  return state.taken < state.frame.length || end_frame();
}

bool FrameReader::Feed::end_frame() {
  Partial& state = partial();
  state.in_frame = false;
  if (is_control(state.frame.opcode)) {
    const std::array<char, kMaxControl> payload = state.control;
    const Header header = state.frame;
    release_if_idle();
    return report_control(header.opcode, {payload.data(), header.length});
  }
  return !state.frame.fin || end_message();
}

bool FrameReader::Feed::end_message() {
  const std::unique_ptr<Partial> finished = std::move(reader_.partial_);
  if (finished->kind == MessageKind::kText && !finished->utf8.complete()) {
    return refuse(CloseReason::kInvalidUtf8);
  }
  return report_message(finished->kind, finished->message);
}

bool FrameReader::Feed::report_message(MessageKind kind, std::string_view payload) {
  return events_.on_message(kind, payload);
}

bool FrameReader::Feed::report_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::kPing) return events_.on_ping(payload);
  if (opcode == Opcode::kPong) return events_.on_pong(payload);
  return report_close(payload);
}

bool FrameReader::Feed::report_close(std::string_view payload) {
  if (payload.empty()) {
    events_.on_close(kNoCode, {});
    return false;
  }
  if (payload.size() < 2) return refuse(CloseReason::kProtocolError);
  const auto code = static_cast<std::uint16_t>(big_endian({payload.data(), 2}));
  const std::string_view reason = payload.substr(2);
  if (!may_be_sent(code)) return refuse(CloseReason::kProtocolError);
  if (!is_utf8(reason)) return refuse(CloseReason::kInvalidUtf8);
  events_.on_close(code, reason);
  return false;
}

void FrameReader::Feed::release_if_idle() {
  const Partial* state = reader_.partial_.get();
  if (state != nullptr && !state->in_message) reader_.partial_.reset();
}

FrameReader::FrameReader(Role role) : role_(role) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

std::optional<CloseReason> FrameReader::feed(std::span<char> bytes, const FrameLimits& limits,
                                             FrameEvents& events) {
  Feed call(*this, bytes, limits, events);
  if (!call.run()) {
    done_ = true;
    partial_.reset();
  }
  return call.error();
}

std::size_t FrameReader::held_bytes() const {
  return partial_ ? sizeof(Partial) + partial_->message.capacity() : 0;
}

namespace {

void append_header(std::string& out, Opcode opcode, std::size_t length, unsigned char masked) {
  const auto put = [&](std::uint64_t byte) { out.push_back(static_cast<char>(byte & 0xff)); };
  put(kFin | static_cast<unsigned char>(opcode));
  if (length < 126) return put(masked | length);
  const int bytes = length <= 0xffff ? 2 : 8;
  put(masked | (bytes == 2 ? 126U : 127U));
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) put(std::uint64_t{length} >> shift);
}

}  // namespace

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  append_header(out, opcode, payload.size(), 0);
  out.append(payload);
}

void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::array<unsigned char, 4> mask) {
  append_header(out, opcode, payload.size(), kMasked);
  out.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  const std::size_t start = out.size();
  out.append(payload);
  apply_mask(std::span<char>(out).subspan(start), mask, 0);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == kNoCode) return append_frame(out, Opcode::kClose, {});
  constexpr std::size_t kMaxReason = kMaxControl - 2;
  std::size_t length = std::min(reason.size(), kMaxReason);
  const auto continues = [&](std::size_t i) {
    return i < reason.size() && (static_cast<unsigned char>(reason[i]) & 0xc0) == 0x80;
  };
  while (length > 0 && continues(length)) --length;
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload.append(reason.substr(0, length));
  append_frame(out, Opcode::kClose, payload);
}

}  // namespace signet::wire
