#include "signet/node/controller_link.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/codes.h"
#include "base/encoding.h"
#include "client/broker_codes.h"
#include "crypto/random.h"
#include "overlay/ipv4.h"
#include "overlay/node_proof.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"
#include "wire/json.h"

namespace signet::node {
namespace {

using cli::failure;

constexpr std::size_t kNonceBytes = 16;
// Nearer than the controller's window (overlay::ProofRules), so that a clock that was set back is
// not run ahead of for longer.
constexpr std::chrono::milliseconds kMaxAhead{30'000};
constexpr std::size_t kMaxCode = 40;
constexpr std::size_t kMaxDetail = 300;

// Beside the body that a question may be answered with: no head of ours comes near.
constexpr std::size_t kMaxHeadBytes = 16'384;
constexpr std::string_view kTooLong = "too long";  // client::http_request's word, at the end
constexpr std::string_view kTooLongCode = "answer_too_long";
constexpr std::string_view kBareNotFound = "status_404";  // as answered() calls one without a code

// By its spelling alone: a name is whoever's it is, but for the one that every system has.
bool is_this_machine(const std::string& host) {
  constexpr std::uint32_t kLoopback = 127;
  constexpr std::uint32_t kFirstOctet = 24;  // bits behind it
  const auto address = overlay::ipv4_from(host);
  return host == "localhost" || host == "::1" || host == "[::1]" ||
         (address && *address >> kFirstOctet == kLoopback);
}

Error link_error(const Error& error, const client::Url& url) {
  if (error.detail.ends_with(kTooLong)) {
    return failure(error.code, kTooLongCode,
                   "the controller at " + url.authority() + " answers more than may be asked for");
  }
  return failure(error.code, client::code_of_connection(error.code, "unreachable"),
                 "the controller at " + url.authority() + ": " + cli::tell(error).message);
}

// What a refusal says. Both are words of the other side.
Answered answered(client::HttpAnswer answer) {
  Answered said;
  said.status = answer.status;
  said.body = std::move(answer.body);
  if (said.is_taken()) return said;
  wire::JsonDocument document;
  if (document.parse(said.body).ok()) {
    const wire::JsonValue root = document.root();
    said.code = cli::printable_line(root["code"].string().value_or("").substr(0, kMaxCode));
    said.detail = cli::printable_line(root["detail"].string().value_or("").substr(0, kMaxDetail));
  }
  if (said.code.empty()) said.code = "status_" + std::to_string(said.status);
  return said;
}

Result<Answered> asked(ControllerLink& link, std::string_view method, const std::string& target,
                       std::string_view body = {}, std::string_view authorization = {},
                       std::size_t max_answer = client::kMaxAnswerBytes) {
  SIGNET_TRY(client::HttpAnswer answer, link.ask(method, target, body, authorization, max_answer));
  return answered(std::move(answer));
}

std::string fresh_nonce() { return crypto::random_hex(kNonceBytes); }

}  // namespace

Result<std::unique_ptr<HttpControllerLink>> HttpControllerLink::to(
    const ControllerLinkOptions& options) {
  auto url = client::parse_url(options.url);
  if (!url.ok()) {
    return cli::usage_error(options.url + " is no address of a controller: " + url.error().detail,
                            "It looks like https://HOST:PORT.");
  }
  if (!url->secure && !options.insecure_http && !is_this_machine(url->host)) {
    return failure(ErrorCode::kForbidden, "insecure_http",
                   "the controller at " + url->authority() +
                       " is reached without TLS, so anybody in between could say who is a peer",
                   "Reach it by https:// or wss://; where the way there is safe by other means: "
                   "--insecure-http.");
  }
  return std::unique_ptr<HttpControllerLink>(new HttpControllerLink(*std::move(url), options));
}

Result<client::HttpAnswer> HttpControllerLink::ask(std::string_view method,
                                                   const std::string& target, std::string_view body,
                                                   std::string_view authorization,
                                                   std::size_t max_answer) {
  client::Url url = base_;
  url.path = target;
  client::HttpOptions options;
  if (!authorization.empty()) options.headers.push_back({"Authorization", authorization});
  options.max_answer = max_answer;
  options.tls.ca_file = options_.trust.ca_file;
  options.tls.allow_tls12 = options_.trust.allow_tls12;
  auto answer = client::http_request(url, method, body, options_.timeout, options);
  if (!answer.ok()) return link_error(answer.error(), base_);
  return answer;
}

WallTime SignedTimes::next(WallTime now) {
  const bool is_near = last_ < now + kMaxAhead;
  last_ = is_near ? std::max(now, last_ + std::chrono::milliseconds(1)) : now;
  return last_;
}

Result<Answered> send_registration(ControllerLink& link, const KeptState& kept,
                                   const crypto::SecretKey& key, WallTime at) {
  dialects::NodeRegistration wanted;
  wanted.node = kept.node;
  wanted.key = key.public_key();
  wanted.wireguard = wireguard_key_of(kept.wireguard);
  wanted.endpoint = kept.endpoint;
  wanted.timestamp = at;
  wanted.signed_text = dialects::text_to_sign(wanted, kept.mesh);
  wanted.signature = key.sign(bytes_of(wanted.signed_text));
  return asked(link, "POST", "/v1/nodes/" + kept.node,
               dialects::write_registration(wanted, kept.mesh));
}

Result<Answered> send_submission(ControllerLink& link, const KeptState& kept,
                                 const crypto::SecretKey& key, const SuiteReport& report,
                                 const crypto::FreshKey& fresh, WallTime at) {
  overlay::Submission submission;
  submission.node = kept.node;
  submission.timestamp = at;
  submission.suite = report.suite;
  submission.scores = report.scores;
  submission.notes = report.notes;
  submission.sequence = kept.sequence;
  submission.nonce = fresh_nonce();
  submission.fresh_key = fresh;
  submission.signed_text = dialects::text_to_sign(submission, kept.mesh);
  submission.signature = key.sign(bytes_of(submission.signed_text));
  return asked(link, "POST", "/v1/benchmarks/" + kept.node,
               dialects::write_submission(submission, kept.mesh));
}

Result<Answered> ask_config(ControllerLink& link, const KeptState& kept,
                            const crypto::SecretKey& key, const dialects::NodeKeysSaid& said,
                            WallTime at) {
  const std::string target = dialects::config_target(kept.node, said);
  overlay::NodeRequest request{kept.node, at, fresh_nonce(), {}};
  request.signature = key.sign(bytes_of(overlay::text_to_sign(request, "GET", target, kept.mesh)));
  return asked(link, "GET", target, {}, dialects::write_node_authorization(request),
               dialects::kMaxConfigBytes + kMaxHeadBytes);
}

Result<Answered> ask_revocations(ControllerLink& link) {
  return asked(link, "GET", "/v1/revocations", {}, {},
               dialects::kMaxRevocationsBytes + kMaxHeadBytes);
}

Result<Answered> send_rekey(ControllerLink& link, const KeptState& kept,
                            const crypto::SecretKey& key, WallTime at) {
  dialects::NodeRekey wanted;
  wanted.node = kept.node;
  wanted.wireguard = wireguard_key_of(kept.pending);
  wanted.timestamp = at;
  wanted.signed_text = dialects::text_to_sign(wanted, kept.mesh);
  wanted.signature = key.sign(bytes_of(wanted.signed_text));
  return asked(link, "POST", "/v1/nodes/" + kept.node + "/key",
               dialects::write_rekey(wanted, kept.mesh));
}

bool is_too_long(const Error& error) { return cli::tell(error).code == kTooLongCode; }

bool means_no(const Answered& answer) {
  constexpr std::array kNo{NodeRefusal::kMalformed, NodeRefusal::kBadName,
                           NodeRefusal::kBadKey,    NodeRefusal::kNameTaken,
                           NodeRefusal::kKeyTaken,  NodeRefusal::kNotInvited,
                           NodeRefusal::kRevoked};
  constexpr int kFirstRefusal = 400;
  constexpr int kFirstFailure = 500;
  if (answer.status < kFirstRefusal || answer.status >= kFirstFailure) return false;
  return std::any_of(kNo.begin(), kNo.end(),
                     [&](NodeRefusal each) { return answer.code == signet::name_of(each); });
}

Error refused(const Answered& answer, std::string_view what) {
  // A broker without an overlay has no such paths, and says so in plain text.
  if (answer.status == 404 && answer.code == kBareNotFound) {
    return failure(ErrorCode::kNotFound, "no_overlay",
                   std::string(what) + " was refused: the controller has no overlay",
                   "Its operator binds one to the mesh: server.bindings = [\"overlay=MESH\"] and "
                   "overlay.key_file.");
  }
  const auto category = answer.status == 503 || answer.status == 429 ? ErrorCode::kUnavailable
                        : answer.status == 409                       ? ErrorCode::kConflict
                        : answer.status == 404                       ? ErrorCode::kNotFound
                                                                     : ErrorCode::kForbidden;
  return failure(
      category, answer.code,
      std::string(what) + " was refused: " + (answer.detail.empty() ? answer.code : answer.detail));
}

}  // namespace signet::node
