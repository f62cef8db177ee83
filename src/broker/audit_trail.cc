#include "broker/audit_trail.h"

#include <utility>

#include "base/log.h"

namespace signet::broker {

AuditTrail::AuditTrail(const AuditOptions& options, std::shared_ptr<const store::LogIdentity> log,
                       store::Store& store, Mailbox& home, const Clock& clock, Counter& dropped)
    : options_(options),
      log_(std::move(log)),
      store_(store),
      home_(home),
      clock_(clock),
      dropped_(dropped),
      tally_(options.tally, clock.elapsed()) {}

void AuditTrail::note(audit::Event event, MeshNumber mesh, MemberNumber member,
                      const net::PeerAddress& peer, std::string_view code) {
  const bool wanted = event == audit::Event::kAdmitted ? options_.admissions : options_.refusals;
  if (log_ == nullptr || !wanted) return;
  const auto key = peer.limit_key();
  tally_.note({event, mesh, member, text_of(ByteView(key)), code}, clock_.elapsed());
}

void AuditTrail::flush() {
  if (log_ != nullptr) write(tally_.take(clock_.elapsed(), log_->pseudonyms));
}

void AuditTrail::flush_all() {
  if (log_ != nullptr) write(tally_.take_all(clock_.elapsed(), log_->pseudonyms));
}

void AuditTrail::write(std::vector<audit::Draft> drafts) {
  if (drafts.empty()) return;
  std::int64_t facts = 0;
  for (const audit::Draft& draft : drafts) facts += draft.count;
  store_.append_log(std::move(drafts), home_, [this, facts](const Status& status) {
    if (status.ok()) return;
    dropped_.add(facts);
    if (const auto repeated = dropped_log_.take(0, clock_.elapsed())) {
      log(LogLevel::kError, "audit.dropped",
          {{"facts", facts}, {"repeated", *repeated}, {"detail", status.error().detail}});
    }
  });
}

}  // namespace signet::broker
