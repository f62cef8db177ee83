#include "net/loopback_test.h"

namespace signet::net {
namespace {

using wire::Opcode;

class WebSocketConnection : public Loopback {};

constexpr int kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

TEST_F(WebSocketConnection, OpensInWhateverPiecesTheHandshakeComes) {
  start();
  const std::string handshake = Peer::handshake("Sec-WebSocket-Protocol: a, b\r\n");
  const std::string all = handshake + Peer::frame(Opcode::kText, "hi");
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    SCOPED_TRACE(cut);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(all.substr(0, cut)));
    std::this_thread::sleep_for(milliseconds(1));
    ASSERT_TRUE(peer.send(all.substr(cut)));
    const std::string answer = peer.answer();
    ASSERT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
    ASSERT_NE(answer.find("Sec-WebSocket-Protocol: a\r\n"), std::string::npos);
    ASSERT_EQ(peer.next_frame().payload, "hi");
  }
}

TEST_F(WebSocketConnection, KeepsWhatCameBeforeALateAnswer) {
  ConnectionId asking;
  prepare = [&](Owner& o) {
    o.request = [&](Connection& connection, const HttpRequest& r) {
      EXPECT_TRUE(r.upgrade);
      asking = connection.id();
    };
  };
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(Peer::handshake() + Peer::frame(Opcode::kText, "early")));
  ASSERT_TRUE(eventually([&] { return owner().requests == 1; }));
  EXPECT_EQ(owner().messages, 0);
  on_shard(0, [&](Shard& shard) { shard.find(asking)->accept_websocket("", owner().limits); });
  EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 101");
  EXPECT_EQ(peer.next_frame().payload, "early");
}

TEST_F(WebSocketConnection, LetsItsOwnerRefuseTheHandshake) {
  prepare = [](Owner& o) {
    o.request = [](Connection& connection, const HttpRequest&) {
      connection.respond({403, "text/plain", {}, "no"});
    };
  };
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(Peer::handshake()));
  EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 403");
}

TEST_F(WebSocketConnection, CarriesMessagesOfBothKindsAndManySizes) {
  options.high_water_bytes = options.max_queued_bytes;
  start();
  Peer peer = websocket();
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u}) {
    SCOPED_TRACE(size);
    const std::string payload(size, 'm');
    ASSERT_TRUE(peer.say(payload));
    const Frame text = peer.next_frame();
    EXPECT_EQ(text.opcode, kText);
    EXPECT_EQ(text.payload, payload);
    ASSERT_TRUE(peer.send_frame(Opcode::kBinary, payload));
    const Frame binary = peer.next_frame();
    EXPECT_EQ(binary.opcode, kBinary);
    EXPECT_EQ(binary.payload, payload);
  }
}

TEST_F(WebSocketConnection, AnswersEveryPingAndReportsPongs) {
  std::string ponged;
  prepare = [&](Owner& o) {
    o.pong = [&](Connection& connection, wire::MessageKind, std::string_view payload) {
      ponged = payload;
      connection.send(Opcode::kText, "got it");
    };
  };
  start();
  Peer peer = websocket();
  std::string pings;
  for (int i = 0; i < 10; ++i) pings += Peer::frame(Opcode::kPing, "p" + std::to_string(i));
  ASSERT_TRUE(peer.send(pings));
  for (int i = 0; i < 10; ++i) {
    const Frame pong = peer.next_frame();
    EXPECT_EQ(pong.opcode, kPong);
    EXPECT_EQ(pong.payload, "p" + std::to_string(i));
  }
  ASSERT_TRUE(peer.send_frame(Opcode::kPong, "tag"));
  EXPECT_EQ(peer.next_frame().payload, "got it");
  EXPECT_EQ(ponged, "tag");
}

TEST_F(WebSocketConnection, AnswersACloseFrameAndTellsItsOwnerOnce) {
  const struct {
    const char* name;
    std::string frame;
    std::uint16_t code;
  } cases[] = {
      {"with a code", Peer::frame(Opcode::kClose, "\x03\xe8"), 1000},
      {"with a code of its own",
       Peer::frame(Opcode::kClose,
                   "\x0f\xa1"
                   "because"),
       4001},
      {"without one", Peer::frame(Opcode::kClose, ""), 1005},
  };
  start();
  int closes = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Peer peer = websocket();
    ASSERT_TRUE(peer.send(c.frame + Peer::frame(Opcode::kText, "too late")));
    const Frame close = peer.next_frame();
    EXPECT_EQ(close.opcode, kClose);
    EXPECT_EQ(close.close_code(), c.code);
    EXPECT_TRUE(peer.ended());
    ++closes;
    EXPECT_TRUE(eventually([&] { return owner().closes == closes; }));
  }
  EXPECT_EQ(owner().messages, 0);
  EXPECT_EQ(closed("normal"), 3);
}

TEST_F(WebSocketConnection, ClosesWithAReasonAndDeliversNothingMore) {
  start();
  Peer peer = websocket();
  on_connection([](Shard&, Connection& connection) {
    connection.send(Opcode::kText, "last words");
    EXPECT_TRUE(connection.takes_frames());
    connection.close(CloseReason::kPolicy, "replayed");
    connection.close(CloseReason::kInternal);
    EXPECT_FALSE(connection.takes_frames());
    EXPECT_EQ(connection.send(Opcode::kText, "no"), Sent::kDropped);
  });
  EXPECT_EQ(peer.next_frame().payload, "last words");
  const Frame close = peer.next_frame();
  EXPECT_EQ(close.close_code(), 1008);
  EXPECT_EQ(close.close_reason(), "replayed");
  ASSERT_TRUE(peer.say("in flight"));
  EXPECT_EQ(owner().closes, 0);
  ASSERT_TRUE(peer.send_close(1008));
  EXPECT_TRUE(peer.ended());
  EXPECT_TRUE(eventually([&] { return owner().closes == 1; }));
  EXPECT_EQ(owner().messages, 0);
  EXPECT_EQ(closed("policy"), 1);
}

TEST_F(WebSocketConnection, DoesNotWaitForEverForTheAnswerToAClose) {
  options.close_timeout = milliseconds(60);
  start();
  Peer peer = websocket();
  on_connection([](Shard&, Connection& c) { c.close(CloseReason::kNormal); });
  EXPECT_EQ(peer.next_frame().close_code(), 1000);
  EXPECT_TRUE(eventually([&] { return owner().closes == 1; }));
  EXPECT_TRUE(peer.ended());
}

TEST_F(WebSocketConnection, ClosesOnABrokenRuleAndCountsIt) {
  prepare = [](Owner& o) { o.limits.max_message_bytes = 1'000, o.limits.max_fragments = 10; };
  start();
  std::string fragments = Peer::frame(Opcode::kText, "a", false);
  for (int i = 0; i < 11; ++i) fragments += Peer::frame(Opcode::kContinuation, "", false);
  std::string unmasked;
  wire::append_frame(unmasked, Opcode::kText, "plain");
  const struct {
    const char* name;
    std::string bytes;
    std::uint16_t code;
    const char* reason;
  } cases[] = {
      {"not masked", unmasked, 1002, "protocol_error"},
      {"reserved bit", "\xc1\x80\x01\x02\x03\x04", 1002, "protocol_error"},
      {"no text", Peer::frame(Opcode::kText, "\xff\xfe"), 1007, "invalid_utf8"},
      {"too long", Peer::frame(Opcode::kText, std::string(1'001, 'x')), 1009, "too_big"},
      {"too many fragments", fragments, 1009, "too_big"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto before = closed(c.reason);
    Peer peer = websocket();
    ASSERT_TRUE(peer.send(c.bytes + Peer::frame(Opcode::kText, "after")));
    const Frame close = peer.next_frame();
    EXPECT_EQ(close.opcode, kClose);
    EXPECT_EQ(close.close_code(), c.code);
    EXPECT_EQ(close.close_reason(), c.reason);
    EXPECT_TRUE(peer.ended());
    peer.hang_up();
    EXPECT_TRUE(eventually([&] { return closed(c.reason) == before + 1; }));
  }
  EXPECT_EQ(owner().messages, 0);
}

// The owner here raises the limits with the first message, as it does when a proof was checked.
TEST_F(WebSocketConnection, HoldsThePeerToTheLimitsOfTheMoment) {
  const wire::FrameLimits small{.max_message_bytes = 100, .max_fragments = 2};
  const wire::FrameLimits large{.max_message_bytes = 70'000, .max_fragments = 100};
  prepare = [&](Owner& o) {
    o.limits = small;
    o.message = [&](Connection& connection, wire::MessageKind, std::string_view text) {
      if (text == "raise") connection.set_frame_limits(large);
      if (text == "lower") connection.set_frame_limits(small);
      connection.send(Opcode::kText, std::to_string(text.size()));
    };
  };
  start();
  const auto text = [](std::size_t bytes) {
    return Peer::frame(Opcode::kText, std::string(bytes, 'x'));
  };
  const auto raise = Peer::frame(Opcode::kText, "raise");
  const auto lower = Peer::frame(Opcode::kText, "lower");
  const std::string three = Peer::frame(Opcode::kText, "x", false) +
                            Peer::frame(Opcode::kContinuation, "x", false) +
                            Peer::frame(Opcode::kContinuation, "x");
  // clang-format off
  const struct {
    const char* name;
    std::vector<std::string> reads;  // one write each, the next when the last was answered
    std::string answers;
    int code;  // of the close; 0: none
  } cases[] = {
      {"as much as the small ones allow", {text(100)}, "100", 0},
      {"one byte more", {text(101)}, "", 1009},
      {"one fragment more", {three}, "", 1009},
      {"after the raise", {raise, text(70'000)}, "5 70000", 0},
      {"more than the raise", {raise, text(70'001)}, "5", 1009},
      {"right behind the raise in one read", {raise + text(60'000)}, "5 60000", 0},
      {"fragments right behind it", {raise + three}, "5 3", 0},
      {"right before the raise in one read", {text(101) + raise}, "", 1009},
      {"a frame that was begun before the raise", {raise + text(60'000).substr(0, 1), text(60'000).substr(1)},
       "5 60000", 0},
      {"and lowered in one read", {raise + lower + text(101)}, "5 5", 1009},
  };
  // clang-format on
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Peer peer = websocket();
    std::string answers;
    Frame frame;
    for (const std::string& bytes : c.reads) {
      ASSERT_TRUE(peer.send(bytes));
      std::this_thread::sleep_for(milliseconds(2));
    }
    ASSERT_TRUE(c.code != 0 || peer.send_close(1000));
    while ((frame = peer.next_frame()).opcode == kText) {
      answers += (answers.empty() ? "" : " ") + frame.payload;
    }
    EXPECT_EQ(answers, c.answers);
    EXPECT_EQ(frame.opcode, kClose);
    EXPECT_EQ(frame.close_code(), c.code == 0 ? 1000 : c.code);
  }
}

TEST_F(WebSocketConnection, RaisingOneLeavesTheOthersAsTheyAre) {
  const wire::FrameLimits small{.max_message_bytes = 100, .max_fragments = 2};
  const wire::FrameLimits large{.max_message_bytes = 70'000, .max_fragments = 100};
  Connection* first = nullptr;
  prepare = [&](Owner& o) {
    o.limits = small;
    o.message = [&](Connection& connection, wire::MessageKind, std::string_view) {
      if (first == nullptr) first = &connection;
      first->set_frame_limits(large);  // the second one raises the first one
      connection.send(Opcode::kText, "ok");
    };
  };
  start();
  Peer one = websocket(), other = websocket();
  ASSERT_TRUE(one.say("first"));
  EXPECT_EQ(one.next_frame().payload, "ok");
  ASSERT_TRUE(other.send(Peer::frame(Opcode::kText, "second") +
                         Peer::frame(Opcode::kText, std::string(101, 'x'))));
  EXPECT_EQ(other.next_frame().payload, "ok");
  EXPECT_EQ(other.next_frame().close_code(), 1009);
  ASSERT_TRUE(one.say(std::string(101, 'x')));
  EXPECT_EQ(one.next_frame().payload, "ok");
}

TEST_F(WebSocketConnection, MayBeClosedInAnyOfItsCalls) {
  const struct {
    const char* name;
    std::function<void(Owner&)> prepare;
    std::string bytes;
  } cases[] = {
      {"in a request",
       [](Owner& o) {
         o.request = [](Connection& c, const HttpRequest&) { c.close(CloseReason::kPolicy); };
       },
       ""},
      {"right after the handshake",
       [](Owner& o) {
         o.request = [&o](Connection& c, const HttpRequest&) {
           c.accept_websocket("", o.limits);
           c.close(CloseReason::kPolicy);
         };
       },
       ""},
      {"in a message",
       [](Owner& o) {
         o.message = [](Connection& c, wire::MessageKind, std::string_view) {
           c.send(Opcode::kText, "bye");
           c.close(CloseReason::kPolicy);
           c.send(Opcode::kText, "not this");
         };
       },
       Peer::frame(Opcode::kText, "1") + Peer::frame(Opcode::kText, "2")},
      {"in a pong",
       [](Owner& o) {
         o.pong = [](Connection& c, wire::MessageKind, std::string_view) {
           c.close(CloseReason::kPolicy);
         };
       },
       Peer::frame(Opcode::kPong, "1") + Peer::frame(Opcode::kText, "2")},
  };
  options.close_timeout = milliseconds(30);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    owners.clear();
    prepare = c.prepare;
    start();
    Peer peer = connected();
    ASSERT_TRUE(peer.send(Peer::handshake() + c.bytes));
    EXPECT_TRUE(eventually([&] { return owner().closes == 1; }));
    EXPECT_LE(owner().messages, 1);
    network.reset();
    EXPECT_EQ(owner().closes, 1);
  }
}

TEST_F(WebSocketConnection, CanCloseAnotherFromItsMessage) {
  options.close_timeout = milliseconds(30);
  std::vector<ConnectionId> all;
  prepare = [&](Owner& o) {
    o.request = [&](Connection& c, const HttpRequest&) {
      all.push_back(c.id());
      c.accept_websocket("", o.limits);
    };
    o.message = [&](Connection&, wire::MessageKind, std::string_view) {
      for (const ConnectionId id : all) {
        if (auto* c = network->shards()[0]->find(id)) c->close(CloseReason::kPolicy);
      }
    };
  };
  start();
  std::vector<Peer> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(websocket());
  for (Peer& peer : peers) peer.say("everybody out");
  EXPECT_TRUE(eventually([&] { return owner().closes == 5; }));
}

// Tells when it is destroyed.
struct Note final : Attachment {
  explicit Note(std::atomic<int>& count) : gone(count) {}
  ~Note() override { ++gone; }
  std::atomic<int>& gone;
};

TEST_F(WebSocketConnection, KeepsItsAttachmentUntilItsOwnerKnows) {
  std::atomic<int> gone{0};
  int gone_when_told = -1;
  prepare = [&](Owner& o) {
    o.closed = [&](Connection& c) {
      gone_when_told = gone;
      EXPECT_NE(c.attachment(), nullptr);
    };
  };
  start();
  Peer peer = websocket();
  on_connection([&](Shard&, Connection& c) {
    c.attach(std::make_unique<Note>(gone));
    c.attach(std::make_unique<Note>(gone));
    EXPECT_EQ(gone, 1);
  });
  peer.hang_up();
  EXPECT_TRUE(eventually([&] { return gone == 2; }));
  EXPECT_EQ(gone_when_told, 1);
  EXPECT_EQ(closed("lost"), 1);
}

TEST_F(WebSocketConnection, CallsItsDeadlineOnceUnlessItIsCleared) {
  std::atomic<int> deadlines{0};
  prepare = [&](Owner& o) {
    o.deadline = [&](Connection& c) {
      ++deadlines;
      c.close(CloseReason::kPolicy, "hello_timeout");
    };
  };
  start();
  Peer peer = websocket();
  on_connection([](Shard&, Connection& c) {
    c.set_deadline(milliseconds(20));
    c.clear_deadline();
  });
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(deadlines, 0);
  on_connection([](Shard&, Connection& c) { c.set_deadline(milliseconds(20)); });
  EXPECT_EQ(peer.next_frame().close_reason(), "hello_timeout");
  EXPECT_EQ(deadlines, 1);
}

TEST_F(WebSocketConnection, PingsTheSilentAndClosesTheDead) {
  options.ping_interval = milliseconds(50);
  options.dead_after = milliseconds(750);  // a busy machine may keep `alive` from its turn a while
  options.close_timeout = milliseconds(50);
  start();
  Peer alive = websocket();
  Peer dead = websocket();
  for (int i = 0; i < 100 && closed("timed_out") == 0; ++i) {
    const Frame ping = alive.next_frame();
    ASSERT_EQ(ping.opcode, kPing);
    ASSERT_EQ(ping.payload, "");
    ASSERT_TRUE(alive.send_frame(Opcode::kPong, ""));
  }
  EXPECT_TRUE(eventually([&] { return closed("timed_out") == 1; }));
  EXPECT_EQ(owner().closes, 1);
  EXPECT_GE(metric("signet_net_pings_total"), 2) << "each was asked";
  EXPECT_EQ(dead.next_frame().opcode, kPing);
  const Frame close = dead.next_frame();
  EXPECT_EQ(close.close_code(), 1001);
  EXPECT_EQ(close.close_reason(), "timed_out");
}

TEST_F(WebSocketConnection, SaysWhenToStopAndWhenToGoOn) {
  options.high_water_bytes = 100'000;
  options.max_queued_bytes = 300'000;
  std::atomic<int> drained{0};
  std::atomic<std::size_t> left{0};
  prepare = [&](Owner& o) {
    o.drained = [&](Connection& c) {
      ++drained;
      left = c.queued_bytes();
    };
  };
  start();
  Peer peer = websocket(4 * 1024);
  const std::string kilobyte(1'000, 'k');
  int sent = 0;
  on_connection([&](Shard&, Connection& c) {
    Sent answer = Sent::kQueued;
    for (; answer == Sent::kQueued; ++sent) answer = c.send(Opcode::kText, kilobyte);
    EXPECT_EQ(answer, Sent::kAboveHighWater);
    EXPECT_GT(c.queued_bytes(), 100'000u);
    for (; answer != Sent::kDropped; ++sent) answer = c.send(Opcode::kText, kilobyte);
    --sent;
    EXPECT_LE(c.queued_bytes(), 300'000u);
    std::string frame;
    wire::append_frame(frame, Opcode::kText, kilobyte);
    EXPECT_EQ(c.send_encoded(frame), Sent::kDropped);
  });
  EXPECT_EQ(metric("signet_net_dropped_frames_total"), 2);
  for (int i = 0; i < sent; ++i) ASSERT_EQ(peer.next_frame().payload.size(), 1'000u) << i;
  EXPECT_TRUE(eventually([&] { return drained == 1; }));
  EXPECT_LE(left, 50'000u);
}

TEST_F(WebSocketConnection, ReadsNothingWhilePausedAndAllAfterwards) {
  options.ping_interval = milliseconds(20);
  options.dead_after = milliseconds(60);
  std::atomic<int> messages{0};
  prepare = [&](Owner& o) {
    o.message = [&](Connection&, wire::MessageKind, std::string_view) { ++messages; };
  };
  start();
  Peer peer = websocket();
  on_connection([](Shard&, Connection& c) { c.pause_input(true); });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(peer.say("later"));
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(messages, 0);
  EXPECT_EQ(owner().closes, 0) << "who is not listened to is not taken for dead";
  on_connection([](Shard&, Connection& c) { c.pause_input(false); });
  EXPECT_TRUE(eventually([&] { return messages == 10; }));
}

TEST_F(WebSocketConnection, TakesABurstOverTheLimitWhileTheKernelTakesIt) {
  options.max_queued_bytes = options.high_water_bytes = 65'536;
  start();
  Peer peer = websocket();
  const std::string kilobyte(1'000, 'k');
  on_connection([&](Shard&, Connection& c) {
    for (int i = 0; i < 200; ++i) EXPECT_NE(c.send(Opcode::kText, kilobyte), Sent::kDropped) << i;
  });
  for (int i = 0; i < 200; ++i) ASSERT_EQ(peer.next_frame().payload, kilobyte) << i;
  EXPECT_EQ(metric("signet_net_dropped_frames_total"), 0);
}

TEST_F(WebSocketConnection, ClosesASlowReaderWhileOthersGoOn) {
  options.slow_consumer_after = milliseconds(150);
  options.close_timeout = milliseconds(50);
  options.high_water_bytes = options.max_queued_bytes = 16'000'000;
  start();
  Peer slow = websocket(4 * 1024);
  on_connection(
      [](Shard&, Connection& c) { c.send(Opcode::kBinary, std::string(12'000'000, 's')); });
  Peer quick = websocket();
  for (int i = 0; owner().closes == 0 && i < 2'000; ++i) {
    ASSERT_TRUE(quick.say("go on"));
    ASSERT_EQ(quick.next_frame().payload, "go on");
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(owner().closes, 1);
  EXPECT_EQ(closed("slow_consumer"), 1);
  ASSERT_TRUE(quick.say("still here"));
  EXPECT_EQ(quick.next_frame().payload, "still here");
}

TEST_F(WebSocketConnection, KeepsASlowReaderThatGoesOnReading) {
  options.slow_consumer_after = milliseconds(200);
  options.max_queued_bytes = 16'000'000;
  start();
  Peer peer = websocket();
  const std::size_t size = 12'000'000;
  on_connection([&](Shard&, Connection& c) { c.send(Opcode::kBinary, std::string(size, 's')); });
  EXPECT_EQ(peer.take(10).size(), 10u);  // the frame's head
  for (std::size_t got = 0; got < size;) {
    const std::string piece = peer.take(std::min<std::size_t>(400'000, size - got));
    ASSERT_FALSE(piece.empty());
    got += piece.size();
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(owner().closes, 0);
}

TEST_F(WebSocketConnection, HoldsLittleUnderAFloodOfFragmentsAndPings) {
  start();
  Peer peer = websocket();
  std::string flood = Peer::frame(Opcode::kText, "", false);
  for (int i = 0; i < 1'000; ++i) {
    flood += Peer::frame(Opcode::kContinuation, "x", false);
    flood += Peer::frame(Opcode::kPing, std::string(125, 'p'));
  }
  for (int round = 0; round < 2; ++round) {
    if (!peer.send(flood)) break;
    on_shard(0, [](Shard& shard) {
      shard.each_connection([](Connection& c) { EXPECT_LE(c.queued_bytes(), 300'000u); });
    });
  }
  const auto closed_too_big = [&] { return closed("too_big") == 1; };
  Frame frame;
  do frame = peer.next_frame();
  while (frame.opcode == kPong);
  EXPECT_EQ(frame.close_code(), 1009);
  peer.hang_up();
  EXPECT_TRUE(eventually(closed_too_big));
}

}  // namespace
}  // namespace signet::net
