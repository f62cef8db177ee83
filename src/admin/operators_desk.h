// OperatorsDesk answers what m of n operators ask over HTTP, and shows the list of those whom they
// revoked. Who is who, their signatures say: no call needs a credential.
//
//   POST /v1/revoke   GET /v1/revocations   GET /v1/operators    Format: protocol/operators.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/log_limiter.h"
#include "broker/audit_trail.h"
#include "broker/http_call.h"
#include "controller/epochs.h"
#include "dialects/overlay_operators.h"

namespace signet::admin {

// Signs the list of revocations: the key that signs the log's checkpoints, which whoever checks a
// mesh has pinned already.
struct ListSigner {
  crypto::PublicKey key;
  std::function<crypto::Signature(std::string_view text)> sign;  // empty: there is no list
};

// Control thread.
class OperatorsDesk {
 public:
  // All must outlive it. `mesh`: its id. `open`: dev only; who has no credential sees names.
  OperatorsDesk(ListSigner signer, bool open, controller::Epochs& epochs, std::string mesh,
                broker::AuditTrail& trail, const Clock& clock, MetricRegistry& metrics);

  // What is counted of refused statements, as Epochs::refusals().
  static CodeCounters<StatementRefusal> refusals(MetricRegistry& metrics);

  // False where the path is none of its own: nothing was answered. `rest`: of the path, behind
  // /v1/. REQUIRES: the caller has counted the call against its address.
  bool answer(const broker::HttpCall& call, std::string_view rest, bool operates);

  // Does what this call asks take more operators here than the one whose token it shows? Counts and
  // says so, where it is so.
  bool refuses_one(const broker::HttpCall& call);

 private:
  using Call = broker::HttpCall;
  void carry_out(const Call& call);
  void refuse(const Call& call, StatementRefusal code, std::string_view detail = {});
  void show_list(const Call& call);
  void show_operators(const Call& call, bool operates);
  std::string list() const;

  const ListSigner signer_;
  const bool open_;
  controller::Epochs& epochs_;
  const std::string mesh_;
  broker::AuditTrail& trail_;
  const Clock& clock_;
  std::optional<std::uint64_t> listed_;  // the serial of `list_`; none: not made yet
  std::string list_;                     // signed; made again when the serial rises
  CodeCounters<StatementRefusal> refused_;
  Counter& done_;
  Counter& one_refused_;
  enum class Denied : std::uint8_t { kOne };
  LogLimiter<StatementRefusal> log_{kStatementRefusalCount};
  LogLimiter<Denied> one_log_{1};
};

}  // namespace signet::admin
