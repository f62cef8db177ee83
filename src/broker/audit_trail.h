// AuditTrail brings what a thread sees of admissions and refusals into the log, once a second and
// as few entries. Traffic goes on when the log can't take it: that is counted, said loudly, and an
// alert. One per shard and one for the control thread; used on its thread.
#pragma once

#include <memory>
#include <string_view>

#include "audit/tally.h"
#include "base/log_limiter.h"
#include "base/mailbox.h"
#include "base/metrics.h"
#include "base/time.h"
#include "net/address.h"
#include "store/store.h"

namespace signet::broker {

struct AuditOptions {
  bool admissions = true;
  bool refusals = true;
  audit::TallyOptions tally;  // of one thread
};

class AuditTrail {
 public:
  // `home` is the mailbox of its thread. Without `log` nothing is kept. All must outlive it.
  AuditTrail(const AuditOptions& options, std::shared_ptr<const store::LogIdentity> log,
             store::Store& store, Mailbox& home, const Clock& clock, Counter& dropped);

  // `code` is one of ours. `peer` counts only where there is no member.
  void note(audit::Event event, MeshNumber mesh, MemberNumber member, const net::PeerAddress& peer,
            std::string_view code);

  void flush();      // call it every second
  void flush_all();  // and this at the end: nothing is noted after it

 private:
  void write(std::vector<audit::Draft> drafts);

  const AuditOptions options_;
  const std::shared_ptr<const store::LogIdentity> log_;
  store::Store& store_;
  Mailbox& home_;
  const Clock& clock_;
  Counter& dropped_;
  audit::Tally tally_;
  LogLimiter<int> dropped_log_{1};
};

}  // namespace signet::broker
