// The TOML text of a mesh's policy, read: docs/policy.md is its reference. What a document means is
// trust/policy.h; here is what it may say.
#pragma once

#include <string>
#include <string_view>

#include "signet/result.h"
#include "trust/policy_document.h"

namespace signet::config {

// A policy that needs more is not understood by anybody.
inline constexpr std::size_t kMaxPolicyBytes = std::size_t{256} * 1024;

// `name` is what messages call the text. Fails kMalformed with every fault of form and meaning, a
// line each: "name:line:column: sentence". The document's own tests are not run: that is
// trust::Policy::compile.
Result<trust::PolicyDocument> read_policy(std::string_view text, std::string_view name);

// Fails kNotFound where the file cannot be read, else as read_policy().
Result<trust::PolicyDocument> read_policy_file(const std::string& path);

}  // namespace signet::config
