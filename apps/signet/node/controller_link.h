// The node's side of the conversation with its controller: what it asks and how it is answered. The
// channel proves who the controller is (TLS); what the node says is signed.
// Format: protocol/overlay.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/http.h"
#include "crypto/fresh_box.h"
#include "crypto/sign.h"
#include "dialects/overlay.h"
#include "dialects/overlay_revocations.h"
#include "signet/client.h"
#include "signet/node/kept_state.h"
#include "signet/node/suite.h"
#include "signet/result.h"

namespace signet::node {

// Whoever carries a request there and the answer back. Thread-safe: a suite probes while the agent
// asks.
class ControllerLink {
 public:
  ControllerLink() = default;
  ControllerLink(const ControllerLink&) = delete;
  ControllerLink& operator=(const ControllerLink&) = delete;
  virtual ~ControllerLink() = default;
  // `target`: path and query. `authorization`: the header's value; empty: none. `max_answer`:
  // bytes, with the head. Fails kUnavailable or kOverloaded where nobody answers in time (an answer
  // that is longer: is_too_long()), kUnauthorized where it is somebody else.
  virtual Result<client::HttpAnswer> ask(std::string_view method, const std::string& target,
                                         std::string_view body, std::string_view authorization,
                                         std::size_t max_answer) = 0;
};

struct ControllerLinkOptions {
  std::string url;  // of the controller, or of the mesh's broker (ws://HOST:PORT/ws)
  TlsTrust trust;
  // What is not TLS is anybody's word, so only this machine's is believed without this.
  bool insecure_http = false;
  // Of one request: a poll that hangs must not keep the node from the moment of a switch for long.
  std::chrono::milliseconds timeout{3'000};
};

class HttpControllerLink final : public ControllerLink {
 public:
  // Fails kMalformed (usage) for what is no address, kForbidden (insecure_http) for one without TLS
  // that is not this machine's.
  static Result<std::unique_ptr<HttpControllerLink>> to(const ControllerLinkOptions& options);
  Result<client::HttpAnswer> ask(std::string_view method, const std::string& target,
                                 std::string_view body, std::string_view authorization,
                                 std::size_t max_answer) override;
  const client::Url& url() const { return base_; }

 private:
  HttpControllerLink(client::Url base, const ControllerLinkOptions& options)
      : base_(std::move(base)), options_(options) {}
  const client::Url base_;
  const ControllerLinkOptions options_;
};

// An answer of the controller. `code` and `detail` are of a refusal, one line each, fit to show.
struct Answered {
  int status = 0;
  std::string code;
  std::string detail;
  std::string body;
  bool is_taken() const { return status == 200; }
};

// The times that a node signs rise, and stay near the clock when that steps.
class SignedTimes {
 public:
  WallTime next(WallTime now);

 private:
  WallTime last_;
};

Result<Answered> send_registration(ControllerLink& link, const KeptState& kept,
                                   const crypto::SecretKey& key, WallTime at);
// `fresh`: what the configuration is sealed to from then on. The sequence is that of `kept`, which
// is on disk already.
Result<Answered> send_submission(ControllerLink& link, const KeptState& kept,
                                 const crypto::SecretKey& key, const SuiteReport& report,
                                 const crypto::FreshKey& fresh, WallTime at);
Result<Answered> ask_config(ControllerLink& link, const KeptState& kept,
                            const crypto::SecretKey& key, const dialects::NodeKeysSaid& said,
                            WallTime at);
Result<Answered> ask_revocations(ControllerLink& link);
// The WireGuard key that waits in `kept`.
Result<Answered> send_rekey(ControllerLink& link, const KeptState& kept,
                            const crypto::SecretKey& key, WallTime at);

// Did somebody answer, and with more than such an answer may have? It is no controller that is
// away.
bool is_too_long(const Error& error);

// A refusal that stays one however often the same is asked. All else may have been carried out, or
// may be yet: who asked keeps what it asked for.
bool means_no(const Answered& answer);

// The failure that a refusal is to a person.
Error refused(const Answered& answer, std::string_view what);

}  // namespace signet::node
