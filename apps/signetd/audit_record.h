// What the daemon itself puts into the log: whose log it is, and what its configuration decided.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entry.h"
#include "broker/rules.h"
#include "config/config.h"
#include "signet/result.h"
#include "store/store.h"

namespace signet {

// The key that signs the log and the one behind its pseudonyms, kept below server.data and made
// when missing. Fails as secret_text() does.
Result<std::shared_ptr<const store::LogIdentity>> log_identity(const config::Config& config);

// What is new in `after`: policies, routes, keys of tokens, and what Hub asks for. nullptr: all of
// them. A mesh has its number from `number_of`; that of no mesh stands for all that are not named.
std::vector<audit::Draft> drafts_of_rules(
    const broker::Rules* before, const broker::Rules& after,
    const std::function<MeshNumber(std::string_view slug)>& number_of);

}  // namespace signet
