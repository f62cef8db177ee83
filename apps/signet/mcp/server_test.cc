#include "signet/mcp/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "signet/mcp/fake_mesh_for_test.h"
#include "signet/mcp/uptake.h"
#include "wire/json.h"

namespace signet::mcp {
namespace {

using namespace std::chrono_literals;
using wire::JsonDocument;

ToolOptions hurried() {
  ToolOptions options;
  options.settle = 1ms;
  options.slice = 10ms;
  options.send_connected = 100ms;
  options.send_away = 50ms;
  return options;
}

enum class Through { kPipes, kSockets };

// An agent at the other end of two pipes.
class ServerTest : public testing::Test {
 protected:
  explicit ServerTest(Through through = Through::kPipes) {
    for (auto* ends : {&to_server_, &from_server_}) {
      const int made = through == Through::kPipes
                           ? ::pipe2(ends->data(), O_CLOEXEC)
                           : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->data());
      EXPECT_EQ(made, 0);
    }
    serving_ = std::thread([this] {
      Server server(to_server_[0], from_server_[1], protocol_, tools_,
                    {.max_line_bytes = 100'000, .last_answers = 100ms, .last_calls = 500ms});
      ended_well_ = server.run();
      ::close(from_server_[1]);
    });
    say(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})");
    EXPECT_TRUE(next().find("serverInfo") != std::string::npos);
  }
  ~ServerTest() override {
    hang_up();
    if (serving_.joinable()) serving_.join();
    for (const int each : {to_server_[0], from_server_[0]}) {
      if (each >= 0) ::close(each);
    }
  }

  void write(const std::string& bytes) {
    ASSERT_EQ(::write(to_server_[1], bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  void say(const std::string& line) { write(line + "\n"); }
  void call(int id, const std::string& tool, const std::string& arguments = "{}") {
    say(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
        R"(,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" + arguments +
        "}}");
  }
  void cancel(int id) {
    say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
        std::to_string(id) + "}}");
  }
  void ping(int id) {
    say(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"ping"})");
  }
  // The next line; empty at the end.
  std::string next() {
    std::string line;
    char c;
    while (::read(from_server_[0], &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }
  std::int64_t next_id() {
    JsonDocument document;
    const std::string line = next();
    EXPECT_TRUE(document.parse(line).ok()) << line;
    return document.root()["id"].integer().value_or(-1);
  }
  void hang_up() {
    if (to_server_[1] >= 0) ::close(std::exchange(to_server_[1], -1));
  }
  // Ends the conversation; true when every call had ended, too.
  bool end() {
    hang_up();
    serving_.join();
    return ended_well_;
  }
  using Ids = std::vector<std::string>;
  FakeMesh mesh_{"team"};
  Tools tools_{{&mesh_}, hurried()};
  Protocol protocol_{{.server_version = "1",
                      .instructions = "",
                      .tools = Tools::definitions(),
                      .tool_names = Tools::names()}};
  std::array<int, 2> to_server_{-1, -1};
  std::array<int, 2> from_server_{-1, -1};
  std::thread serving_;
  bool ended_well_ = false;
};

TEST_F(ServerTest, ConfirmsWhatWasShownAtTheNextCallOfAnyTool) {
  mesh_.deliver("id1", "text");
  call(1, "check_messages");
  EXPECT_NE(next().find("id1"), std::string::npos);
  ping(2);  // no call: it shows nothing of the agent
  EXPECT_EQ(next_id(), 2);
  EXPECT_TRUE(mesh_.confirmed().empty());
  call(3, "set_status", R"({"status":"idle"})");
  EXPECT_EQ(next_id(), 3);
  EXPECT_EQ(mesh_.confirmed(), Ids{"id1"});
  EXPECT_TRUE(end());
  EXPECT_TRUE(mesh_.returned().empty());
}

TEST_F(ServerTest, GivesBackWhatIsUnconfirmedWhenTheAgentLeaves) {
  mesh_.deliver("id1", "text");
  call(1, "check_messages");
  next();
  EXPECT_TRUE(end());
  EXPECT_TRUE(mesh_.confirmed().empty());
  EXPECT_EQ(mesh_.returned(), Ids{"id1"});
}

TEST_F(ServerTest, TriesAConfirmationAgainThatFailed) {
  mesh_.deliver("id1", "text");
  call(1, "check_messages");
  next();
  mesh_.fail_confirms(true);
  call(2, "list_peers");
  EXPECT_EQ(next_id(), 2);
  mesh_.fail_confirms(false);
  call(3, "list_peers");
  EXPECT_EQ(next_id(), 3);
  EXPECT_EQ(mesh_.confirmed(), Ids{"id1"});
}

// One order of events around call 1, whose answer shows a message.
struct Order {
  const char* name;
  // A letter each: `r` the agent's program takes all answers, `o` another call (and it ends), `c`
  // the cancellation of call 1, `b` another call and the cancellation in one write, `h` half of
  // the cancellation's line behind another call, `t` the other half.
  const char* steps;
  bool is_confirmed;
};

class AnswerAndNextCall final : public ServerTest {
 public:
  explicit AnswerAndNextCall(Through through) : ServerTest(through) {}

  void play(const Order& order) {
    mesh_.deliver("id1", "text");
    call(1, "wait_for_messages");
    until([&] { return has_unread(from_server_[0]); });
    for (const char* step = order.steps; *step != '\0'; ++step) play(*step);
    EXPECT_TRUE(end());
    EXPECT_EQ(mesh_.confirmed(), order.is_confirmed ? Ids{"id1"} : Ids{}) << order.name;
    EXPECT_EQ(mesh_.returned(), order.is_confirmed ? Ids{} : Ids{"id1"}) << order.name;
  }

 private:
  void TestBody() override {}
  void take_answers() {
    for (; asked_ > 0; --asked_) next();
  }
  void other_call(const std::string& and_then = {}) {
    const std::size_t before = mesh_.activities().size();
    write(R"({"jsonrpc":"2.0","id":)" + std::to_string(++last_id_) +
          R"(,"method":"tools/call","params":{"name":"set_status",)" +
          R"("arguments":{"status":"idle"}}})" + "\n" + and_then);
    ++asked_;
    until([&] { return mesh_.activities().size() > before; });
  }
  void play(char step) {
    if (step == 'r') take_answers();
    if (step == 'o') other_call();
    if (step == 'b') other_call(kCancellation + "\n");
    if (step == 'c') cancel(1);
    if (step == 'h') other_call(kCancellation.substr(0, 20));
    if (step == 't') write(kCancellation.substr(20) + "\n");
  }
  template <class Condition>
  static void until(Condition holds) {
    for (int i = 0; i < 5'000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(holds());
  }
  const std::string kCancellation =
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})";
  int last_id_ = 1;
  int asked_ = 1;  // calls whose answers were not taken yet
};

// clang-format off
constexpr Order kOrders[] = {
    {"taken, then a call",                               "ro",  true},
    {"taken, then nothing",                              "r",   false},
    {"never taken",                                      "",    false},
    {"a call while the answer is in the pipe",           "o",   false},
    {"several such calls",                               "ooo", false},
    {"such a call, then taken, then nothing",            "or",  false},
    {"such a call, then taken, then a call",             "oro", true},
    {"such a call, then cancelled",                      "oc",  false},
    {"such a call, cancelled, taken, a call",            "ocro", false},
    {"such a call and the cancellation at once",         "b",   false},
    {"taken and given up, both told at once",            "rb",  false},
    {"taken and given up, the telling comes in halves",  "rht", false},
    {"taken, cancelled, then a call",                    "rco", false},
    {"confirmed before it is cancelled",                 "roc", true},
};
// clang-format on

TEST(ServerOrders, ConfirmsOnlyWhatWasTakenBeforeTheCallAndNotGivenUp) {
  for (const Order& order : kOrders) {
    AnswerAndNextCall(Through::kPipes).play(order);
    AnswerAndNextCall(Through::kSockets).play(order);
  }
}

TEST_F(ServerTest, AnswersOthersWhileACallWaits) {
  call(1, "wait_for_messages", R"({"timeout_seconds":600})");
  ping(2);
  EXPECT_EQ(next_id(), 2);
  call(3, "list_peers");
  EXPECT_EQ(next_id(), 3);
  mesh_.deliver("id1", "text");
  EXPECT_EQ(next_id(), 1);
}

TEST_F(ServerTest, SendsInTheOrderOfTheLines) {
  std::string lines;
  for (int i = 1; i <= 12; ++i) {
    lines += R"({"jsonrpc":"2.0","id":)" + std::to_string(i) +
             R"(,"method":"tools/call","params":{"name":"send_message","arguments":{"to":"*",)" +
             R"("message":")" + std::to_string(i) + "\"}}}\n";
  }
  write(lines);
  for (int i = 1; i <= 12; ++i) next();
  const auto sent = mesh_.sent();
  ASSERT_EQ(sent.size(), 12U);
  for (int i = 1; i <= 12; ++i) {
    EXPECT_EQ(sent[static_cast<std::size_t>(i) - 1].text, std::to_string(i));
  }
}

TEST_F(ServerTest, AnswersNoCancelledCallAndGivesBackWhatItTook) {
  call(1, "wait_for_messages", R"({"timeout_seconds":600})");
  cancel(1);
  ping(2);
  EXPECT_EQ(next_id(), 2);
  mesh_.deliver("id1", "text");
  // The call that ends may have taken it; then it gives it back.
  std::string shown;
  for (int id = 3; id < 500 && shown.find("id1") == std::string::npos; ++id) {
    call(id, "check_messages");
    shown = next();
  }
  EXPECT_NE(shown.find("id1"), std::string::npos);
}

TEST_F(ServerTest, GivesBackWhatAnAnswerShowedThatNobodyWaitedFor) {
  mesh_.deliver("id1", "text");
  call(1, "check_messages");
  next();
  cancel(1);  // it crossed the answer
  call(2, "check_messages");
  EXPECT_NE(next().find("id1"), std::string::npos);
  EXPECT_TRUE(mesh_.confirmed().empty());
  EXPECT_EQ(mesh_.returned(), Ids{"id1"});
}

TEST_F(ServerTest, EndsSoonWhileACallWaits) {
  call(1, "wait_for_messages", R"({"timeout_seconds":600})");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(end());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST_F(ServerTest, AnswersWhatWasAskedBeforeThePipeWasClosed) {
  call(1, "list_peers");
  write(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");  // no newline
  hang_up();
  EXPECT_EQ(next_id() + next_id(), 3);
  EXPECT_EQ(next(), "");
}

TEST_F(ServerTest, EndsWhenNobodyReads) {
  // The pipes may be sockets, too, as Node makes them.
  std::array<int, 2> input, output;
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output.data()), 0);
  Protocol protocol({});
  Server server(input[0], output[0], protocol, tools_);
  ::close(output[1]);
  EXPECT_TRUE(server.run());
  for (const int each : {input[0], input[1], output[0]}) ::close(each);

  ::close(std::exchange(from_server_[0], -1));
  serving_.join();
  EXPECT_TRUE(ended_well_);
}

TEST_F(ServerTest, WritesAnswersThatAreLargerThanAPipe) {
  mesh_.deliver("id1", std::string(300'000, 'x'));
  call(1, "check_messages");
  std::this_thread::sleep_for(50ms);  // the pipe is full
  EXPECT_GT(next().size(), 600'000U);
  EXPECT_TRUE(end());
}

TEST_F(ServerTest, RefusesALineThatIsTooLongAndGoesOn) {
  std::thread writer([this] { say(std::string(300'000, '[')); });
  EXPECT_NE(next().find("-32600"), std::string::npos);
  writer.join();
  ping(1);
  EXPECT_EQ(next_id(), 1);
}

}  // namespace
}  // namespace signet::mcp
