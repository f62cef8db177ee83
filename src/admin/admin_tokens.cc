// Tokens that an operator takes back. The tokens themselves are made elsewhere: what this needs is
// the name of one, or of whom they are.
#include <algorithm>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/log.h"

namespace signet::admin {
namespace {

// What clocks may differ by; a later moment would shut out tokens that nobody has issued yet.
constexpr std::chrono::minutes kMostAhead{5};

// Twice what tokens.max_lifetime may be.
constexpr std::chrono::hours kRemembered{2 * 366 * 24};

// Before which moment all was issued that is out by now: an issuer's clock may be ahead by the
// leeway. What it dates from behind that is taken nowhere yet.
WallTime behind_all(const broker::TokenDoor* door, WallTime now) {
  const auto leeway = door == nullptr ? trust::TokenRules().leeway : door->rules.leeway;
  return now + leeway + std::chrono::milliseconds(1);
}

}  // namespace

// When the last token that a revocation means can hold is not known: one without iat, or dated
// ahead, is refused now and would be taken later; and the configuration may come to take longer
// ones.
void Admin::revoke_tokens(const Call& call, const membership::MeshSnapshot& mesh) {
  auto body = read_token_revocation(call.body);
  if (!body.ok()) return call.reply(answer_of(body.error()));
  const WallTime now = shared_.clock.wall();
  if (body->issued_before && *body->issued_before > now + kMostAhead) {
    return call.reply(failed(400, "bad_request", "issuedBefore is in the future"));
  }
  const auto door = rules()->of(mesh.mesh().slug).tokens;
  membership::TokenRevocation revocation;
  revocation.token = std::move(body->token);
  revocation.subject = std::move(body->subject);
  revocation.issued_before = body->issued_before.value_or(behind_all(door.get(), now));
  revocation.until = std::max(now, revocation.issued_before) + kRemembered;
  const bool by_id = !revocation.token.empty();
  controller_.revoke_tokens(
      mesh.mesh().number, std::move(revocation),
      [reply = call.reply, by = call.peer.text(), id = mesh.mesh().id,
       by_id](const Status& status) {
        if (status.ok()) {
          log(LogLevel::kWarn, "tokens.revoked",
              {{"mesh", id}, {"what", by_id ? "a token" : "a subject"}, {"by", by}});
        }
        reply(answer_of(status));
      });
}

}  // namespace signet::admin
