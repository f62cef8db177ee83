// A controller with one node, by the format of protocol/overlay.md: it reads what is sent by the
// reader of the real one, checks each signature, and seals to the fresh key of the last submission.
// For tests.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "dialects/overlay.h"
#include "overlay/epoch_keys.h"
#include "overlay/node_proof.h"
#include "signet/node/agent.h"
#include "signet/node/controller_link.h"
#include "signet/node/wireguard_tool.h"
#include "wire/json.h"

namespace signet::node {

inline crypto::SecretKey test_key(unsigned char seed) {
  std::array<unsigned char, 32> bytes{};
  bytes.fill(seed);
  return crypto::SecretKey::from_seed(bytes);
}
inline overlay::WireGuardKey test_wireguard(unsigned char fill) {
  overlay::WireGuardKey key{};
  key.fill(fill);
  return key;
}
inline constexpr std::string_view kTestMesh = "mesh-1";
inline constexpr std::uint32_t kTestNetwork = 0x0A0A0000;  // 10.10.0.0

// The text under the keys of one epoch, in which every peer's key is that number.
inline SecretBytes text_of_epoch(std::uint64_t epoch, const std::vector<unsigned char>& peers) {
  overlay::WireGuardConfig config;
  config.address = kTestNetwork + 2;
  for (const unsigned char fill : peers) {
    overlay::WireGuardPeer peer;
    peer.key = test_wireguard(fill);
    peer.allowed_ip = kTestNetwork + fill;
    peer.endpoint = *overlay::Endpoint::of("192.0.2." + std::to_string(fill) + ":51820");
    peer.preshared = SecretBytes(std::string(32, static_cast<char>(epoch)));
    config.peers.push_back(std::move(peer));
  }
  auto text = overlay::write(config, overlay::WireGuardForm::kQuick);
  if (!text.ok()) std::abort();
  return *std::move(text);
}

// The epoch whose keys a configuration has: 0 where there are none.
inline std::uint64_t epoch_of_keys(const overlay::WireGuardConfig& config) {
  if (config.peers.empty()) return 0;
  return config.peers.front().preshared.data()[0];
}

class FakeController final : public ControllerLink {
 public:
  explicit FakeController(const Clock& clock) : clock_(clock) {}

  Result<client::HttpAnswer> ask(std::string_view method, const std::string& target,
                                 std::string_view body, std::string_view authorization,
                                 std::size_t /*max_answer*/) override {
    targets.push_back(std::string(method).append(" ").append(target));
    if (on_ask) on_ask(target);
    if (is_away) return away;
    if (!refuse.empty()) {
      return client::HttpAnswer{refuse_status, dialects::write_detail("no", refuse)};
    }
    if (target.starts_with("/v1/benchmarks/")) return take(body);
    if (target == "/v1/revocations") return client::HttpAnswer{200, revocations_body};
    if (target.starts_with("/v1/config/")) return show(target, authorization);
    return client::HttpAnswer{404, "{}"};
  }

  // What it knows and says.
  std::string node = "node-a";
  crypto::SecretKey key = test_key(1);
  std::uint64_t epoch = 5;
  std::optional<bool> allowed = true;
  std::string reason = "score 0.92 >= 0.70, fresh";
  overlay::KeyOffer offer{1, {}, {}, {}};
  std::vector<unsigned char> peers{7, 8};
  std::uint64_t revocations = 0;
  std::string revocations_body;
  bool seals_all = true;  // false: the box of the next epoch is missing
  // How it fails.
  bool is_away = false;
  Error away{ErrorCode::kUnavailable, "unreachable: nobody there"};  // what is said then
  std::string refuse;
  int refuse_status = 400;
  std::function<void(const std::string&)> on_ask;
  // What it heard.
  std::vector<std::string> targets;
  std::vector<std::uint64_t> sequences;
  std::set<overlay::WireGuardKey> fresh_keys;
  std::optional<overlay::WireGuardKey> fresh;
  dialects::NodeKeysSaid said;
  WallTime asked_last;

 private:
  Result<client::HttpAnswer> take(std::string_view body) {
    auto read = dialects::read_submission(body, kTestMesh);
    auto* submission = std::get_if<overlay::Submission>(&read);
    if (submission == nullptr) {
      ADD_FAILURE() << std::get<dialects::SubmissionRefused>(read).detail;
      return client::HttpAnswer{422, "{}"};
    }
    EXPECT_TRUE(crypto::verify(key.public_key(), bytes_of(submission->signed_text),
                               submission->signature.value_or(crypto::Signature{})));
    const std::uint64_t sequence = submission->sequence.value_or(0);
    if (!sequences.empty() && sequence <= sequences.back()) {
      return client::HttpAnswer{400, dialects::write_detail("replayed", "replayed")};
    }
    sequences.push_back(sequence);
    fresh = submission->fresh_key;
    EXPECT_TRUE(fresh && fresh_keys.insert(*fresh).second) << "a fresh key is used once";
    return client::HttpAnswer{200, dialects::write_received(node, epoch)};
  }

  void check_proof(const std::string& target, std::string_view authorization) {
    const auto request = dialects::read_node_authorization(authorization);
    ASSERT_TRUE(request);
    EXPECT_EQ(overlay::check_proof(key.public_key(),
                                   overlay::text_to_sign(*request, "GET", target, kTestMesh),
                                   request->signature, request->at, {}, clock_.wall()),
              std::nullopt);
    EXPECT_GT(request->at, asked_last);
    asked_last = request->at;
  }

  Result<client::HttpAnswer> show(const std::string& target, std::string_view authorization) {
    check_proof(target, authorization);
    const auto query = target.find('?');
    const auto read = dialects::read_keys_said(query == std::string::npos
                                                   ? std::string_view()
                                                   : std::string_view(target).substr(query + 1));
    EXPECT_TRUE(read);
    said = read.value_or(dialects::NodeKeysSaid{});
    dialects::OverlayConfig config;
    config.node = node;
    config.epoch = epoch;
    config.allowed = allowed;
    config.reason = reason;
    config.revocations = revocations;
    if (allowed == true && fresh && offer.current > 0) {
      config.keys.emplace();
      config.keys->offer = offer;
      seal(offer.current, *config.keys);
      if (offer.next && seals_all) seal(*offer.next, *config.keys);
      if (offer.previous) seal(*offer.previous, *config.keys);
    }
    return client::HttpAnswer{200, dialects::write_config(config)};
  }

  void seal(std::uint64_t of, dialects::OverlayKeys& keys) {
    auto box = crypto::seal_to_fresh(*fresh, overlay::delivery_context(kTestMesh, node, of),
                                     text_of_epoch(of, peers).text());
    ASSERT_TRUE(box.ok());
    keys.sealed.push_back({of, *std::move(box)});
  }

  const Clock& clock_;
};

// A WireGuard in memory.
class FakeTool final : public WireGuardTool {
 public:
  Status apply(const overlay::WireGuardConfig& config) override {
    if (on_apply) on_apply();
    if (fails) return Error{ErrorCode::kNotFound, "no_interface: wg0 is not there"};
    now = copy_of(config);
    epochs.push_back(epoch_of_keys(config));
    return Done{};
  }
  Result<std::vector<PeerSeen>> peers() override {
    if (fails) return Error{ErrorCode::kNotFound, "no_interface: wg0 is not there"};
    std::vector<PeerSeen> seen;
    for (const auto& peer : now.peers) seen.push_back({peer.key, handshake, sent_bytes});
    return seen;
  }
  std::set<overlay::WireGuardKey> keys() const {
    std::set<overlay::WireGuardKey> all;
    for (const auto& peer : now.peers) all.insert(peer.key);
    return all;
  }

  overlay::WireGuardConfig now;
  std::vector<std::uint64_t> epochs;  // of each that was applied
  bool fails = false;
  std::function<void()> on_apply;
  WallTime handshake;
  std::uint64_t sent_bytes = 0;
};

// A disk in memory.
class FakeDisk final : public KeptStore {
 public:
  Status write(const KeptState& state) override {
    if (on_write) on_write();
    if (fails) return Error{ErrorCode::kUnavailable, "disk: full"};
    text = write_kept(state);
    ++writes;
    if (on_written) on_written();
    return Done{};
  }
  KeptState state() const {
    auto read = read_kept(text.text());
    if (!read.ok()) std::abort();
    return *std::move(read);
  }

  SecretBytes text;
  int writes = 0;
  bool fails = false;
  std::function<void()> on_write, on_written;
};

// A suite that is done at once.
class FakeSuite final : public SuiteTask {
 public:
  void start() override { ++starts; }
  std::optional<Result<SuiteReport>> take() override {
    if (is_slow) return std::nullopt;
    if (fails) return Result<SuiteReport>(Error{ErrorCode::kUnavailable, "it broke"});
    SuiteReport report;
    report.suite = "test-1";
    report.scores.emplace("overall", *overlay::Score::from(0.92));
    return Result<SuiteReport>(std::move(report));
  }

  int starts = 0;
  bool is_slow = false, fails = false;
};

inline KeptState test_state() {
  KeptState state = new_state("node-a", std::string(kTestMesh));
  state.listen_port = 51'999;
  return state;
}

}  // namespace signet::node
