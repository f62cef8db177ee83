#include "overlay_node.h"

#include <algorithm>
#include <utility>

#include "client/identity_access.h"
#include "client/url.h"
#include "dialects/overlay.h"
#include "overlay/epoch_keys.h"
#include "overlay/wireguard_config.h"

namespace signet::bench {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{10};
constexpr std::chrono::milliseconds kNext{1};
constexpr std::size_t kDigitsOfName = 16;  // of the key: no two nodes of a server share them

// As a node of the format reports: a handful of scores and a word for people.
constexpr std::pair<std::string_view, std::int32_t> kScores[] = {
    {"overall", 920'000}, {"latency", 870'000}, {"loss", 1'000'000},
    {"cpu", 990'000},     {"clock", 1'000'000},
};
constexpr std::string_view kNotes = "latency 12.3 ms, lost 0 of 5, cpu 97 %, clock 0.0 s ahead";

}  // namespace

OverlayNode::OverlayNode(Membership member)
    : name_("node-" + member.identity.public_key().substr(0, kDigitsOfName)),
      member_(std::move(member)),
      wireguard_(crypto::FreshKeyPair::generate()),
      fresh_(crypto::FreshKeyPair::generate()) {}

std::string OverlayNode::registration(WallTime now) const {
  const crypto::SecretKey& key = IdentityAccess::key(member_.identity);
  dialects::NodeRegistration made;
  made.node = name_;
  made.key = key.public_key();
  made.wireguard = wireguard_.public_key();
  made.timestamp = now;
  made.signature = key.sign(bytes_of(dialects::text_to_sign(made, member_.mesh_id)));
  return dialects::write_registration(made, member_.mesh_id);
}

std::string OverlayNode::submission(WallTime now) {
  overlay::Submission made;
  made.node = name_;
  made.timestamp = now;
  made.suite = "signet-bench-1";
  for (const auto& [name, score] : kScores) made.scores.emplace(name, overlay::Score{score});
  made.notes = kNotes;
  made.sequence = ++sequence_;
  made.nonce = "n" + std::to_string(sequence_);
  made.fresh_key = fresh_.public_key();
  const std::string text = dialects::text_to_sign(made, member_.mesh_id);
  made.signature = IdentityAccess::key(member_.identity).sign(bytes_of(text));
  return dialects::write_submission(made, member_.mesh_id);
}

std::string OverlayNode::authorization(std::string_view target, WallTime now) {
  asked_ = std::max(now, asked_ + kNext);
  overlay::NodeRequest request;
  request.node = name_;
  request.at = asked_;
  request.nonce = "q" + std::to_string(asked_.ms);
  const std::string text = overlay::text_to_sign(request, "GET", target, member_.mesh_id);
  request.signature = IdentityAccess::key(member_.identity).sign(bytes_of(text));
  return dialects::write_node_authorization(request);
}

Result<std::vector<overlay::WireGuardKey>> OverlayNode::peers_in(std::string_view config) const {
  SIGNET_TRY(const dialects::OverlayConfig read, dialects::read_config(config));
  std::vector<overlay::WireGuardKey> peers;
  if (read.allowed != true || !read.keys) return peers;
  const auto& sealed = read.keys->sealed;
  const auto current =
      std::find_if(sealed.begin(), sealed.end(), [&read](const dialects::OverlaySealed& each) {
        return each.epoch == read.keys->offer.current;
      });
  if (current == sealed.end()) return peers;
  const std::string context = overlay::delivery_context(member_.mesh_id, name_, current->epoch);
  const auto text = crypto::open_fresh(fresh_, context, current->box);
  if (!text) return Error{ErrorCode::kMalformed, "a configuration that does not open"};
  SIGNET_TRY(const overlay::WireGuardConfig wireguard, overlay::read_wireguard(text->text()));
  for (const overlay::WireGuardPeer& peer : wireguard.peers) peers.push_back(peer.key);
  return peers;
}

Result<client::HttpAnswer> ask(const std::string& at, std::string_view method,
                               const std::string& path, std::string_view body,
                               std::string_view authorization) {
  SIGNET_TRY(const client::Url url, client::parse_url("http://" + at + path));
  client::HttpOptions options;
  if (!authorization.empty()) options.headers = {{"Authorization", authorization}};
  return client::http_request(url, method, body, kAnswerTimeout, options);
}

Result<client::HttpAnswer> ask_well(const std::string& at, std::string_view method,
                                    const std::string& path, std::string_view body,
                                    std::string_view authorization) {
  constexpr int kGood = 200;
  SIGNET_TRY(client::HttpAnswer answer, ask(at, method, path, body, authorization));
  if (answer.status == kGood) return answer;
  return Error{ErrorCode::kUnavailable,
               path + " was answered " + std::to_string(answer.status) + ": " + answer.body};
}

}  // namespace signet::bench
