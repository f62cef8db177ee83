#include "wire/websocket_frame.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "wire/slow_frame_reader.h"
#include "wire/vectors_for_test.h"

namespace signet::wire {
namespace {

constexpr std::array<unsigned char, 4> kMask = {0x37, 0xfa, 0x21, 0x3d};

std::string masked(Opcode opcode, std::string_view payload, bool fin = true) {
  std::string frame;
  append_masked_frame(frame, opcode, payload, kMask);
  if (!fin) frame[0] = static_cast<char>(frame[0] & 0x7f);
  return frame;
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
  return cuts;
}

FrameLimits limits_of(const JsonValue& vector) {
  FrameLimits limits;
  const JsonValue given = vector["limits"];
  if (const auto n = given["max_message_bytes"].integer()) {
    limits.max_message_bytes = static_cast<std::size_t>(*n);
  }
  if (const auto n = given["max_fragments"].integer()) {
    limits.max_fragments = static_cast<std::size_t>(*n);
  }
  return limits;
}

// Vectors.

void run_vector(const JsonValue& vector) {
  const std::string bytes = bytes_from_hex(*vector["bytes"].string());
  const Role role = vector["role"].string() == "server" ? Role::kServer : Role::kClient;
  const FrameLimits limits = limits_of(vector);
  FrameTrace expected;
  expected.verdict = *vector["verdict"].string();
  for (std::size_t i = 0; i < vector["events"].size(); ++i) {
    expected.events.emplace_back(*vector["events"][i].string());
  }
  EXPECT_EQ(read_frames(bytes, role, limits, {}), expected) << "whole";
  EXPECT_EQ(read_frames(bytes, role, limits, every_byte(bytes.size())), expected) << "byte by byte";
  EXPECT_EQ(read_frames_slowly(bytes, role, limits), expected) << "slowly";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_EQ(read_frames(bytes, role, limits, {cut}), expected) << "cut at " << cut;
  }
}

TEST(FrameReader, AnswersEveryVectorHoweverItIsSplit) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "websocket_frames.json");
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    run_vector(vectors[i]);
  }
  std::cout << "frame vectors run: " << vectors.size() << "\n";
  EXPECT_GE(vectors.size(), 300u);
}

// The fast reader against the slow one.

class RandomFrames {
 public:
  explicit RandomFrames(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // A stream that is mostly right, so that it gets far, and a little wrong.
  std::string stream(Role role) {
    std::string bytes;
    open_ = false;
    for (std::size_t frames = 1 + below(12); frames > 0; --frames) add_frame(bytes, role);
    if (one_in(3)) bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
    if (one_in(4)) bytes.resize(below(bytes.size() + 1));
    return bytes;
  }

  std::vector<std::size_t> cuts(std::size_t size) {
    std::vector<std::size_t> cuts;
    const std::size_t step = 1 + below(one_in(2) ? 5 : 200);
    for (std::size_t at = below(step + 1); at < size; at += below(step + 1)) cuts.push_back(at);
    return cuts;
  }

 private:
  std::string payload(bool text, std::size_t size) {
    static constexpr std::string_view kPieces[] = {"a", "\xc3\xa9", "\xe2\x82\xac",
                                                   "\xf0\x9f\x98\x80", "0123456789abcdefghij"};
    std::string out;
    while (out.size() < size) out += kPieces[below(std::size(kPieces))];
    if (!text || one_in(30)) {
      for (char& c : out) c = static_cast<char>(random_());
    }
    return out.substr(0, size);  // may cut a character, which the next fragment may not mend
  }

  void add_frame(std::string& bytes, Role role) {
    const bool control = one_in(4);
    const std::size_t sizes[] = {0, 1, below(10), below(126), below(300)};
    std::size_t size = sizes[below(std::size(sizes))];
    Opcode opcode = open_ ? Opcode::kContinuation : one_in(3) ? Opcode::kBinary : Opcode::kText;
    if (control) {
      opcode = one_in(12) ? Opcode::kClose : one_in(2) ? Opcode::kPing : Opcode::kPong;
      size = std::min<std::size_t>(size, 125);
    }
    const bool fin = control || !one_in(3);
    if (!control) open_ = !fin;
    std::string body = payload(opcode != Opcode::kBinary, size);
    if (opcode == Opcode::kClose && size >= 2) body.replace(0, 2, "\x03\xe8");
    const std::size_t start = bytes.size();
    if (role == Role::kServer) {
      const auto key = static_cast<std::uint32_t>(random_());
      append_masked_frame(
          bytes, opcode, body,
          {static_cast<unsigned char>(key), static_cast<unsigned char>(key >> 8),
           static_cast<unsigned char>(key >> 16), static_cast<unsigned char>(key >> 24)});
    } else {
      append_frame(bytes, opcode, body);
    }
    if (!fin) bytes[start] = static_cast<char>(bytes[start] & 0x7f);
  }

  std::mt19937_64 random_;
  bool open_ = false;
};

TEST(FrameReader, AgreesWithTheSlowReaderOnRandomStreams) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  RandomFrames random(seed);
  std::size_t errors = 0;
  std::size_t events = 0;
  for (int round = 0; round < 4'000; ++round) {
    const Role role = random.one_in(2) ? Role::kServer : Role::kClient;
    const std::string bytes = random.stream(role);
    const FrameLimits limits{random.one_in(3) ? 400U : 65'536U, random.one_in(3) ? 5U : 1'024U};
    const FrameTrace expected = read_frames_slowly(bytes, role, limits);
    const auto cuts = random.cuts(bytes.size());
    ASSERT_EQ(read_frames(bytes, role, limits, cuts), expected)
        << "seed " << seed << " round " << round << " bytes " << to_hex(bytes_of(bytes));
    ASSERT_EQ(read_frames(bytes, role, limits, {}), expected) << "seed " << seed;
    errors += expected.verdict != "ok" && expected.verdict != "incomplete" ? 1 : 0;
    events += expected.events.size();
  }
  EXPECT_GT(errors, 200u);  // else the streams are too tame to show anything
  EXPECT_GT(events, 4'000u);
}

// Memory and copies.

class LastMessage final : public FrameEvents {
 public:
  bool on_message(MessageKind, std::string_view payload) override {
    ++count;
    view = payload;
    text = std::string(payload);
    return go_on;
  }
  bool on_ping(std::string_view) override { return go_on; }
  bool on_pong(std::string_view) override { return go_on; }
  void on_close(std::uint16_t, std::string_view) override { ++count; }
  std::string_view view;
  std::string text;
  int count = 0;
  bool go_on = true;
};

TEST(FrameReader, IsTwoWordsAndHoldsNothingWhenIdle) {
  static_assert(sizeof(FrameReader) == 2 * sizeof(void*));
  FrameReader reader(Role::kServer);
  LastMessage events;
  EXPECT_EQ(reader.held_bytes(), 0u);
  std::string bytes = masked(Opcode::kText, "hello");
  std::string head = bytes.substr(0, 3);
  std::string tail = bytes.substr(3);
  EXPECT_FALSE(reader.feed(head, {}, events));
  EXPECT_GT(reader.held_bytes(), 0u);
  EXPECT_FALSE(reader.feed(tail, {}, events));
  EXPECT_EQ(events.text, "hello");
  EXPECT_EQ(reader.held_bytes(), 0u);
}

TEST(FrameReader, ReportsAWholeFrameWhereItLies) {
  FrameReader reader(Role::kServer);
  LastMessage events;
  std::string bytes = masked(Opcode::kText, std::string(5'000, 'x'));
  EXPECT_FALSE(reader.feed(bytes, {}, events));
  EXPECT_EQ(events.view.data(), bytes.data() + 8);
  EXPECT_EQ(events.view.size(), 5'000u);
}

TEST(FrameReader, OneByteFragmentsCostNoMoreThanTheirPayload) {
  const FrameLimits limits{65'536, 100'000};
  FrameReader reader(Role::kServer);
  LastMessage events;
  std::size_t most = 0;
  for (int i = 0; i < 65'536; ++i) {
    std::string bytes = masked(i == 0 ? Opcode::kText : Opcode::kContinuation, "x", false);
    ASSERT_FALSE(reader.feed(bytes, limits, events));
    most = std::max(most, reader.held_bytes());
  }
  EXPECT_LE(most, 2 * 65'536u + 512u);
}

// Who has proven nothing may make the server hold limits.unproven_frame, and not twice that.
TEST(FrameReader, APieceOfAMessageCostsNoMoreThanTheMessage) {
  const FrameLimits limits{16'384, 1'024};
  const std::string whole = masked(Opcode::kText, std::string(16'384, 'x'));
  std::string fragments = masked(Opcode::kText, std::string(84, 'x'), false);
  for (int i = 0; i < 162; ++i) {
    fragments += masked(Opcode::kContinuation, std::string(100, 'x'), false);
  }
  fragments += masked(Opcode::kContinuation, std::string(100, 'x'));
  for (const std::string& message : {whole, fragments}) {
    for (const std::size_t piece : {1U, 1'000U, 1'460U, 4'000U, 8'193U, 16'383U}) {
      FrameReader reader(Role::kServer);
      LastMessage events;
      std::size_t most = 0;
      for (std::size_t at = 0; at + 1 < message.size(); at += piece) {
        std::string part = message.substr(at, std::min(piece, message.size() - 1 - at));
        ASSERT_FALSE(reader.feed(part, limits, events));
        most = std::max(most, reader.held_bytes());
      }
      EXPECT_GE(most, 16'383u) << piece;
      EXPECT_LE(most, 16'384u + 512u) << "in pieces of " << piece;
      std::string last = message.substr(message.size() - 1);
      EXPECT_FALSE(reader.feed(last, limits, events));
      EXPECT_EQ(events.text.size(), 16'384u);
    }
  }
}

TEST(FrameReader, StoresNothingForALengthThatIsOnlyClaimed) {
  FrameReader reader(Role::kServer);
  LastMessage events;
  std::string bytes = masked(Opcode::kBinary, std::string(60'000, 'x')).substr(0, 100);
  EXPECT_FALSE(reader.feed(bytes, {}, events));
  EXPECT_LT(reader.held_bytes(), 1'024u);
}

TEST(FrameReader, DefaultCapEndsAFragmentFlood) {
  FrameReader reader(Role::kServer);
  LastMessage events;
  std::string bytes = masked(Opcode::kText, "", false);
  for (int i = 0; i < 1'023; ++i) bytes += masked(Opcode::kContinuation, "", false);
  EXPECT_FALSE(reader.feed(bytes, {}, events));
  bytes = masked(Opcode::kContinuation, "");
  EXPECT_EQ(reader.feed(bytes, {}, events), CloseReason::kTooBig);
  EXPECT_EQ(events.count, 0);
}

TEST(FrameReader, ReadsTheLargestMessageInOneAndInManyReads) {
  std::string payload;
  for (std::size_t i = 0; i < 65'536; ++i) payload.push_back(static_cast<char>('a' + i % 23));
  for (const std::size_t step : {70'000u, 1'460u, 7u}) {
    FrameReader reader(Role::kServer);
    LastMessage events;
    std::string bytes = masked(Opcode::kText, payload);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      std::string piece = bytes.substr(at, step);
      ASSERT_FALSE(reader.feed(piece, {}, events));
    }
    EXPECT_EQ(events.text, payload) << step;
  }
}

// Stopping.

TEST(FrameReader, StopsWhenAnEventSaysSo) {
  FrameReader reader(Role::kServer);
  LastMessage events;
  events.go_on = false;
  std::string bytes = masked(Opcode::kText, "a") + masked(Opcode::kText, "b");
  EXPECT_FALSE(reader.feed(bytes, {}, events));
  EXPECT_EQ(events.count, 1);
  bytes = masked(Opcode::kText, "c");
  EXPECT_FALSE(reader.feed(bytes, {}, events));
  EXPECT_EQ(events.text, "a");
  EXPECT_EQ(reader.held_bytes(), 0u);
}

TEST(FrameReader, IsDeafAfterAnErrorAndAfterAClose) {
  for (const Opcode first : {Opcode::kClose, static_cast<Opcode>(3)}) {
    FrameReader reader(Role::kServer);
    LastMessage events;
    std::string bytes = masked(first, "");
    (void)reader.feed(bytes, {}, events);
    const int before = events.count;
    bytes = masked(Opcode::kText, "a") + masked(static_cast<Opcode>(4), "");
    EXPECT_EQ(reader.feed(bytes, {}, events), std::nullopt);
    EXPECT_EQ(events.count, before);
  }
}

TEST(FrameReader, MovesInTheMiddleOfAMessage) {
  FrameReader first(Role::kServer);
  LastMessage events;
  std::string bytes = masked(Opcode::kText, "ab", false);
  EXPECT_FALSE(first.feed(bytes, {}, events));
  FrameReader second(std::move(first));
  bytes = masked(Opcode::kContinuation, "cd");
  EXPECT_FALSE(second.feed(bytes, {}, events));
  EXPECT_EQ(events.text, "abcd");
}

// Writing.

TEST(AppendFrame, UsesTheShortestLengthAndReadsBack) {
  // clang-format off
  const struct { const char* name; std::size_t size, header; } rows[] = {
      {"empty",               0,      2},
      {"longest 7-bit form",  125,    2},
      {"shortest 16-bit form", 126,   4},
      {"longest 16-bit form", 65'535, 4},
      {"shortest 64-bit form", 65'536, 10},
      {"large",               70'000, 10},
  };
  // clang-format on
  const FrameLimits limits{100'000, 4};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string payload(row.size, '\xfe');
    std::string plain;
    append_frame(plain, Opcode::kBinary, payload);
    EXPECT_EQ(plain.size(), row.header + row.size);
    const FrameTrace expected{{event_line("binary", payload)}, "ok"};
    EXPECT_EQ(read_frames(plain, Role::kClient, limits, {}), expected);
    const std::string hidden = masked(Opcode::kBinary, payload);
    EXPECT_EQ(hidden.size(), row.header + 4 + row.size);
    EXPECT_EQ(read_frames(hidden, Role::kServer, limits, {}), expected);
  }
}

TEST(AppendFrame, AppendsBehindWhatIsThere) {
  std::string out = "before";
  append_frame(out, Opcode::kText, "a");
  append_masked_frame(out, Opcode::kText, "b", {0, 0, 0, 1});
  EXPECT_EQ(out, std::string("before\x81\x01"
                             "a\x81\x81\0\0\0\x01"
                             "b",
                             16));
}

TEST(AppendClose, CutsTheReasonBetweenCharacters) {
  const std::string euro = "\xe2\x82\xac";
  // clang-format off
  const struct { const char* name; std::uint16_t code; std::string reason, event; } rows[] = {
      {"no reason",         1000, "", "close 1000"},
      {"a reason",          1008, "bad", "close 1008 626164"},
      {"none was given",    1005, "ignored", "close 1005"},
      {"exactly fits",      1000, std::string(123, 'a'), event_line("close 1000", std::string(123, 'a'))},
      {"one too long",      1000, std::string(124, 'a'), event_line("close 1000", std::string(123, 'a'))},
      {"ends a character",  1000, std::string(120, 'a') + euro + "b", event_line("close 1000", std::string(120, 'a') + euro)},
      {"cuts before one",   1000, std::string(121, 'a') + euro, event_line("close 1000", std::string(121, 'a'))},
      {"cuts before it too", 1000, std::string(122, 'a') + euro, event_line("close 1000", std::string(122, 'a'))},
  };
  // clang-format on
  for (const auto& row : rows) {
    std::string out;
    append_close(out, row.code, row.reason);
    EXPECT_EQ(read_frames(out, Role::kClient, {}, {}), (FrameTrace{{row.event}, "ok"})) << row.name;
  }
}

}  // namespace
}  // namespace signet::wire
