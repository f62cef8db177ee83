// OverlayDesk answers the overlay's HTTP under /v1/: submissions, registrations, an epoch and a
// node's configuration. It reads and proves; what counts is the controller's business.
//
//   POST /v1/benchmarks/NODE   POST /v1/nodes/NODE   GET /v1/epoch   GET /v1/config/NODE
//   POST /v1/nodes/NODE/key    POST /v1/rotate         Format: protocol/overlay.md.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "admin/operators_desk.h"
#include "admin/overlay_told.h"
#include "base/log_limiter.h"
#include "broker/audit_trail.h"
#include "broker/http_call.h"
#include "controller/epochs.h"
#include "dialects/overlay.h"
#include "trust/rate_limit.h"

namespace signet::admin {

struct OverlayDeskOptions {
  double requests_per_second = 100;  // of one address: each may cost a signature to check
  std::size_t addresses = 65'536;    // remembered by that limit
  // Registrations, first submissions without a signature and changes of keys of one address: rare
  // in a node's life, and each that is taken costs the disk and every peer a new configuration. 0:
  // any number.
  double registrations_per_minute = 60;
  bool open = false;  // dev only: who has no credential sees verdicts and reasons
  overlay::ProofRules proofs;
  ListSigner signer;  // of the list of revocations
};

// Control thread.
class OverlayDesk {
 public:
  // All must outlive it. `mesh`: its id, as it stands in what nodes sign.
  OverlayDesk(const OverlayDeskOptions& options, controller::Epochs& epochs, std::string mesh,
              broker::AuditTrail& trail, const Clock& clock, MetricRegistry& metrics);

  // Puts what is refused by the overlay and its operators onto the page of metrics, at zero: alerts
  // look at it where no mesh has an overlay as well. Call before the threads start.
  static void register_refusals(MetricRegistry& metrics);

  // REQUIRES: the path is below /v1/. `operates`: the call carries the operator's credential.
  void answer(const broker::HttpCall& call, bool operates);

  std::uint64_t epoch() const { return epochs_.state().decided; }
  // As OperatorsDesk::refuses_one.
  bool refuses_one(const broker::HttpCall& call) { return operators_.refuses_one(call); }
  const std::string& mesh() const { return mesh_; }
  ToldNodes& told() { return told_; }
  // As Epochs::successor_of.
  const overlay::Node* successor_of(MemberNumber former) const {
    return epochs_.successor_of(former);
  }

 private:
  using Call = broker::HttpCall;

  void take_submission(const Call& call, const std::string& node);
  bool makes_node(const overlay::Submission& submission, const std::string& node) const;
  void refuse(const Call& call, SubmissionRefusal code, const std::string& detail);
  void refuse(const Call& call, NodeRefusal code, std::string_view detail = {});

  // overlay_registration.cc
  void on_node(const Call& call, const std::string& path);
  void take_registration(const Call& call, const std::string& node);
  void take_rekey(const Call& call, const std::string& node);
  void tell_node(const Call& call, const std::string& node, std::string_view status,
                 const controller::NodeAnswer& answer);

  void show_epoch(const Call& call, bool operates);
  void show_config(const Call& call, const std::string& node, bool operates);
  void rotate(const Call& call, bool operates);
  void show_own_config(const Call& call, const overlay::NodeRequest& request,
                       const std::string& node);
  // The node that signed this very request; nullptr: it was refused and answered.
  const overlay::Node* proven(const Call& call, const overlay::NodeRequest& request,
                              const std::string& node);
  bool is_newest(const std::string& name, WallTime at);
  std::string config_body(const std::string& name, const controller::NodeConfiguration& found,
                          bool with_keys) const;
  Result<std::string> sealed(const overlay::Node& node, const controller::NodeConfiguration& found,
                             std::uint64_t epoch, bool other) const;

  static CodeCounters<NodeRefusal> refusals(MetricRegistry& metrics);
  static Counter& limited(MetricRegistry& metrics);

  const OverlayDeskOptions options_;
  controller::Epochs& epochs_;
  const std::string mesh_;
  broker::AuditTrail& trail_;
  const Clock& clock_;
  trust::RateLimiter<std::string, crypto::KeyedHash> addresses_;
  trust::RateLimiter<std::string, crypto::KeyedHash> registrations_;
  std::map<std::string, WallTime, std::less<>> asked_;  // the newest request of each node
  ToldNodes told_;
  CodeCounters<SubmissionRefusal> unread_;
  CodeCounters<NodeRefusal> refused_;
  Counter& limited_;
  LogLimiter<SubmissionRefusal> submission_log_{kSubmissionRefusalCount};
  LogLimiter<NodeRefusal> node_log_{kNodeRefusalCount};
  OperatorsDesk operators_;
};

}  // namespace signet::admin
