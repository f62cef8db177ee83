#include "signet/mcp/protocol.h"

#include <algorithm>
#include <array>

#include "wire/json.h"

namespace signet::mcp {

using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

namespace {

constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view kServerInfoKey = "io.modelcontextprotocol/serverInfo";
constexpr std::string_view kSubscriptionKey = "io.modelcontextprotocol/subscriptionId";

// Revisions with a handshake whose tools have structured results; the newest first.
constexpr std::array<std::string_view, 2> kHandshakeRevisions = {kHandshakeRevision, "2025-06-18"};

// The list of tools is the same for everybody and as old as the program: an hour is a guess at how
// long an agent keeps a process.
constexpr std::int64_t kListFreshMs = 3'600'000;

std::string error_line(std::string_view id, int code, std::string_view message,
                       std::string_view data = {}) {
  JsonWriter line;
  line.object().key("jsonrpc").value("2.0");
  if (!id.empty()) line.key("id").raw(id);
  line.key("error").object().key("code").value(code).key("message").value(message);
  if (!data.empty()) line.key("data").raw(data);
  return line.end().end().take();
}

Step refuse(std::string_view id, int code, std::string_view message, std::string_view data = {}) {
  return {.answer = error_line(id, code, message, data), .call = {}, .cancelled = {}};
}

JsonWriter result_of(std::string_view id) {
  JsonWriter line;
  line.object().key("jsonrpc").value("2.0").key("id").raw(id).key("result").object();
  return line;
}

Step done(JsonWriter& line) {
  return {.answer = line.end().end().take(), .call = {}, .cancelled = {}};
}

void write_server(JsonWriter& out, const std::string& version) {
  out.object().key("name").value("signet").key("title").value("Signet mesh");
  out.key("version").value(version).end();
}

void write_stateless_fields(JsonWriter& out, const std::string& version) {
  out.key("resultType").value("complete");
  out.key("_meta").object().key(kServerInfoKey);
  write_server(out, version);
  out.end();
}

void write_freshness(JsonWriter& out) {
  out.key("ttlMs").value(kListFreshMs).key("cacheScope").value("public");
}

bool is_integer_text(std::string_view text) {
  if (text.substr(0, 1) == "-") text.remove_prefix(1);
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The id's own text, so that it is echoed exactly; empty where it is no string and no integer.
std::string id_text(JsonValue id, std::size_t max_bytes) {
  const bool is_id =
      id.is(JsonKind::kString) || (id.is(JsonKind::kNumber) && is_integer_text(id.raw()));
  return is_id && id.raw().size() <= max_bytes ? std::string(id.raw()) : std::string();
}

}  // namespace

void Lines::take(std::string_view bytes, const Use& use) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view part = bytes.substr(0, newline);
    if (line_.size() + part.size() > max_line_bytes_) {
      is_too_long_ = true;
      std::string().swap(line_);
    }
    if (!is_too_long_) line_.append(part);
    if (newline == std::string_view::npos) return;
    end_line(use);
    bytes.remove_prefix(newline + 1);
  }
}

void Lines::end_line(const Use& use) {
  if (is_too_long_) {
    use(std::nullopt);
  } else {
    use(line_);
  }
  is_too_long_ = false;
  line_.clear();
}

void Lines::finish(const Use& use) {
  if (is_too_long_ || !line_.empty()) end_line(use);
}

struct Protocol::Request {
  std::string id;  // its JSON text; empty: a notification
  std::string method;
  JsonValue params;  // an object, or nothing
};

Step Protocol::take_too_long() {
  return refuse({}, kInvalidRequest, "Invalid Request: the line is too long");
}

Step Protocol::take(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  JsonDocument document;
  const Status parsed = document.parse(line);
  if (!parsed.ok()) return refuse({}, kParseError, "Parse error: " + parsed.error().detail);
  const JsonValue root = document.root();
  if (root.is(JsonKind::kArray)) {
    return refuse({}, kInvalidRequest, "Invalid Request: these revisions have no batches");
  }
  if (!root.is(JsonKind::kObject)) return refuse({}, kInvalidRequest, "Invalid Request: no object");

  Request request{
      .id = id_text(root["id"], options_.max_id_bytes), .method = {}, .params = root["params"]};
  const auto method = root["method"].string();
  const bool answers_us = !root["method"] && (root["result"] || root["error"]);
  if (answers_us) return {};  // nothing was asked
  if (root["jsonrpc"].string() != "2.0") {
    return refuse(request.id, kInvalidRequest, "Invalid Request: jsonrpc is not \"2.0\"");
  }
  if (!method) return refuse(request.id, kInvalidRequest, "Invalid Request: no method");
  if (root["id"] && request.id.empty()) {
    return refuse({}, kInvalidRequest, "Invalid Request: an id is a string or an integer");
  }
  request.method = *method;
  if (request.id.empty()) return notification(request);
  if (request.params && !request.params.is(JsonKind::kObject)) {
    return refuse(request.id, kInvalidParams, "Invalid params: not an object");
  }
  return this->request(request);
}

Step Protocol::notification(const Request& notification) {
  if (notification.method != "notifications/cancelled") return {};
  const std::string id = id_text(notification.params["requestId"], options_.max_id_bytes);
  if (id.empty()) return {};
  const auto found = pending_.find(id);
  if (found != pending_.end() && found->second.is_subscription) {
    pending_.erase(found);
    return {};
  }
  if (found != pending_.end()) found->second.is_cancelled = true;
  return {.answer = {}, .call = {}, .cancelled = id};
}

Step Protocol::request(const Request& request) {
  if (pending_.count(request.id) != 0) {
    return refuse(request.id, kInvalidRequest, "Invalid Request: that id waits for its answer");
  }
  const bool is_stateless = static_cast<bool>(request.params["_meta"][kVersionKey]);
  if (request.method == "initialize") return initialize(request);
  return is_stateless ? stateless_request(request) : handshake_request(request);
}

Step Protocol::handshake_request(const Request& request) {
  if (request.method == "ping") {
    JsonWriter line = result_of(request.id);
    return done(line);
  }
  if (!is_initialized_) {
    return refuse(request.id, kInvalidParams,
                  "Invalid params: begin with initialize, or carry " + std::string(kVersionKey) +
                      " and " + std::string(kCapabilitiesKey) + " in _meta");
  }
  if (request.method == "tools/list") return list_tools(request, Era::kHandshake);
  if (request.method == "tools/call") return call_tool(request, Era::kHandshake);
  return refuse(request.id, kMethodNotFound, "Method not found");
}

Step Protocol::stateless_request(const Request& request) {
  const JsonValue meta = request.params["_meta"];
  const auto version = meta[kVersionKey].string();
  if (!version) {
    return refuse(request.id, kInvalidParams,
                  "Invalid params: " + std::string(kVersionKey) + " is not a string");
  }
  if (*version != kStatelessRevision) {
    JsonWriter data;
    data.object().key("supported").array().value(kStatelessRevision).end();
    data.key("requested").value(*version).end();
    return refuse(request.id, kUnsupportedVersion, "Unsupported protocol version", data.text());
  }
  if (!meta[kCapabilitiesKey].is(JsonKind::kObject)) {
    return refuse(request.id, kInvalidParams,
                  "Invalid params: _meta has no " + std::string(kCapabilitiesKey));
  }
  if (request.method == "server/discover") return discover(request);
  if (request.method == "tools/list") return list_tools(request, Era::kStateless);
  if (request.method == "tools/call") return call_tool(request, Era::kStateless);
  if (request.method == "subscriptions/listen") return listen(request);
  return refuse(request.id, kMethodNotFound, "Method not found");
}

Step Protocol::initialize(const Request& request) {
  const auto wanted = request.params["protocolVersion"].string();
  if (!wanted) return refuse(request.id, kInvalidParams, "Invalid params: no protocolVersion");
  const auto known = std::find(kHandshakeRevisions.begin(), kHandshakeRevisions.end(), *wanted);
  is_initialized_ = true;
  JsonWriter line = result_of(request.id);
  line.key("protocolVersion")
      .value(known == kHandshakeRevisions.end() ? kHandshakeRevision : *known);
  line.key("capabilities").object().key("tools").object().end().end();
  line.key("serverInfo");
  write_server(line, options_.server_version);
  line.key("instructions").value(options_.instructions);
  return done(line);
}

Step Protocol::discover(const Request& request) {
  JsonWriter line = result_of(request.id);
  write_stateless_fields(line, options_.server_version);
  line.key("supportedVersions").array().value(kStatelessRevision).end();
  line.key("capabilities").object().key("tools").object().end().end();
  line.key("instructions").value(options_.instructions);
  write_freshness(line);
  return done(line);
}

Step Protocol::list_tools(const Request& request, Era era) {
  if (request.params["cursor"]) {
    return refuse(request.id, kInvalidParams, "Invalid params: no such cursor, all fits one page");
  }
  JsonWriter line = result_of(request.id);
  if (era == Era::kStateless) {
    write_stateless_fields(line, options_.server_version);
    write_freshness(line);
  }
  line.key("tools").raw(options_.tools);
  return done(line);
}

Step Protocol::call_tool(const Request& request, Era era) {
  const auto name = request.params["name"].string();
  if (!name) return refuse(request.id, kInvalidParams, "Invalid params: no tool name");
  const auto& names = options_.tool_names;
  if (std::find(names.begin(), names.end(), *name) == names.end()) {
    return refuse(request.id, kInvalidParams, "Unknown tool: " + std::string(name->substr(0, 64)));
  }
  const JsonValue arguments = request.params["arguments"];
  if (arguments && !arguments.is(JsonKind::kObject)) {
    return refuse(request.id, kInvalidParams, "Invalid params: arguments is not an object");
  }
  if (calls_ >= options_.max_calls) {
    const ToolAnswer busy{.is_error = true,
                          .text = "too_many_calls: wait for the answers of some, then try again."};
    return {.answer = tool_result(request.id, era, busy), .call = {}, .cancelled = {}};
  }
  pending_[request.id] = {.era = era};
  ++calls_;
  return {.answer = {},
          .call = ToolCall{.id = request.id,
                           .tool = std::string(*name),
                           .arguments = arguments ? std::string(arguments.raw()) : "{}"},
          .cancelled = {}};
}

// Nothing that can be subscribed to ever changes here, so the stream is acknowledged with an empty
// filter and stays silent until it is cancelled.
Step Protocol::listen(const Request& request) {
  if (!request.params["notifications"].is(JsonKind::kObject)) {
    return refuse(request.id, kInvalidParams, "Invalid params: no notifications filter");
  }
  const std::size_t open = pending_.size() - std::min(calls_, pending_.size());
  if (open >= options_.max_calls) {
    return refuse(request.id, kInvalidRequest, "Invalid Request: too many subscriptions");
  }
  pending_[request.id] = {.era = Era::kStateless, .is_subscription = true};
  JsonWriter line;
  line.object().key("jsonrpc").value("2.0");
  line.key("method").value("notifications/subscriptions/acknowledged").key("params").object();
  line.key("_meta").object().key(kSubscriptionKey).raw(request.id).end();
  line.key("notifications").object().end();
  return done(line);
}

std::string Protocol::tool_result(const std::string& id, Era era, const ToolAnswer& answer) const {
  JsonWriter line = result_of(id);
  if (era == Era::kStateless) write_stateless_fields(line, options_.server_version);
  line.key("content").array().object().key("type").value("text").key("text").value(answer.text);
  line.end().end();
  if (!answer.is_error) line.key("structuredContent").raw(answer.text);
  line.key("isError").value(answer.is_error);
  return line.end().end().take();
}

std::optional<std::string> Protocol::answer(const std::string& id, const ToolAnswer& answer) {
  const auto found = pending_.find(id);
  if (found == pending_.end() || found->second.is_subscription) return std::nullopt;
  const Pending pending = found->second;
  pending_.erase(found);
  --calls_;
  if (pending.is_cancelled) return std::nullopt;
  return tool_result(id, pending.era, answer);
}

std::vector<std::string> Protocol::finish() {
  std::vector<std::string> lines;
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (!at->second.is_subscription) {
      ++at;
      continue;
    }
    JsonWriter line = result_of(at->first);
    line.key("resultType").value("complete");
    line.key("_meta").object().key(kSubscriptionKey).raw(at->first).key(kServerInfoKey);
    write_server(line, options_.server_version);
    line.end();
    lines.push_back(line.end().end().take());
    at = pending_.erase(at);
  }
  return lines;
}

}  // namespace signet::mcp
