// What says no must not be taken for a proof: the answer of a check is looked at before it is one.
#include "trust/secret_hello.h"

using namespace signet;

std::int64_t control(const trust::SecretClaim& claim, WallTime now) {
  const auto checked = trust::check_freshness(claim, now, std::chrono::minutes(1));
#ifdef SIGNET_MISUSE
  const trust::ProvenSecret unchecked = checked;
#endif
  const auto* proven = std::get_if<trust::ProvenSecret>(&checked);
  return proven == nullptr ? 0 : proven->timestamp_ms;
}
