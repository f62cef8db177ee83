// What an agent's program writes to `signet mcp`, line by line, with a mesh that answers at once.
// Every line that goes back is one JSON-RPC message; it answers something that was asked, with the
// very id, and a request is answered once or cancelled. No text of a line comes back unescaped.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "signet/mcp/fake_mesh_for_test.h"
#include "signet/mcp/protocol.h"
#include "signet/mcp/tools.h"
#include "wire/json.h"

namespace {

using namespace signet;
using mcp::Protocol;
using mcp::Tools;
using wire::JsonDocument;

constexpr std::size_t kMaxLine = 4'096;  // small, so that the fuzzer meets the bound
constexpr std::size_t kMaxCalls = 3;

void check(bool holds) {
  if (!holds) std::abort();
}

mcp::ToolOptions hurried() {
  mcp::ToolOptions options;
  options.first_connection = options.settle = options.slice = options.lookup = {};
  options.send_connected = options.send_away = options.peers = {};
  return options;
}

void check_line(const std::string& line, const std::string* id) {
  check(line.find('\n') == std::string::npos);
  JsonDocument document;
  check(document.parse(line, {.max_depth = 64, .max_values = 1'000'000}).ok());
  const auto root = document.root();
  check(root["jsonrpc"].string() == "2.0");
  if (root["method"].string()) return check(!root["id"]);  // a subscription is acknowledged
  check(static_cast<bool>(root["result"]) != static_cast<bool>(root["error"]));
  if (id != nullptr) check(root["id"].raw() == *id);
  if (root["error"]) check(root["error"]["code"].integer() < -32'000);
}

// Made once: it is the same for every conversation.
const std::string& definitions() {
  static const std::string kDefinitions = Tools::definitions();
  return kDefinitions;
}

class Conversation {
 public:
  Conversation() { mesh_.deliver("id1", "a text"); }

  void line(std::optional<std::string_view> line) {
    const auto step = line ? protocol_.take(*line) : protocol_.take_too_long();
    check(protocol_.calls() <= kMaxCalls);
    if (!step.answer.empty()) check_line(step.answer, nullptr);
    check(!step.call || step.answer.empty());
    if (!step.call) return;
    // The last call waits for its answer while others go on, so that it can be cancelled.
    check(waiting_.emplace(step.call->id, *step.call).second);
    if (waiting_.size() == kMaxCalls) answer(waiting_.begin()->first);
  }

  void finish() {
    while (!waiting_.empty()) answer(waiting_.begin()->first);
    check(protocol_.calls() == 0);
    for (const std::string& line : protocol_.finish()) check_line(line, nullptr);
    check(mesh_.leased() <= 1);
  }

 private:
  void answer(const std::string id) {
    mcp::CallControl control;
    control.is_cancelled = true;  // waits end at once
    auto outcome = tools_.run(waiting_.at(id), control);
    waiting_.erase(id);
    const auto line = protocol_.answer(id, outcome.answer);
    if (line) check_line(*line, &id);
    if (!outcome.answer.is_error) {
      JsonDocument document;
      check(document.parse(outcome.answer.text).ok());
    }
    check(!protocol_.answer(id, outcome.answer));
    Tools::give_back(outcome.leases);
  }

  mcp::FakeMesh mesh_{"team"};
  Tools tools_{{&mesh_}, hurried()};
  Protocol protocol_{{.server_version = "1",
                      .instructions = "how to",
                      .tools = definitions(),
                      .tool_names = Tools::names(),
                      .max_calls = kMaxCalls}};
  std::map<std::string, mcp::ToolCall> waiting_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Conversation conversation;
  mcp::Lines lines(kMaxLine);
  const auto use = [&](std::optional<std::string_view> line) { conversation.line(line); };
  lines.take({reinterpret_cast<const char*>(data), size}, use);
  lines.finish(use);
  conversation.finish();
  return 0;
}
