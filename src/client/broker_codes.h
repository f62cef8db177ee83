// What a broker's code means to a program that uses the library: the caller's next move.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::client {

struct BrokerCode {
  std::string_view code;
  ErrorCode kind;
  std::string_view sentence;
};

inline constexpr std::array kBrokerCodes = {
    BrokerCode{"no_such_member", ErrorCode::kNotFound, "nobody in the mesh has this key"},
    BrokerCode{"denied", ErrorCode::kForbidden, "the mesh does not allow it"},
    BrokerCode{"rate_limited", ErrorCode::kOverloaded, "too much in too short a time"},
    BrokerCode{"limit_exceeded", ErrorCode::kOverloaded, "the mesh has as many of these as it may"},
    BrokerCode{"quota_exceeded", ErrorCode::kOverloaded, "the receiver's mailbox is full"},
    BrokerCode{"store_full", ErrorCode::kOverloaded, "the broker's disk is full"},
    BrokerCode{"unavailable", ErrorCode::kUnavailable, "the broker's store does not answer"},
    BrokerCode{"id_reused", ErrorCode::kConflict, "another message has this id"},
    BrokerCode{"audience_changed", ErrorCode::kConflict, "members came or went meanwhile"},
    BrokerCode{"bad_frame", ErrorCode::kMalformed, "the broker does not take this"},
    BrokerCode{"bad_topic", ErrorCode::kMalformed, "this is no topic or pattern"},
    BrokerCode{"not_subscribed", ErrorCode::kNotFound, "there is no such subscription"},
    BrokerCode{"unknown_type", ErrorCode::kForbidden, "this broker is too old to know this"},
};

// What a server that can't be spoken to is called, by what its socket failed with.
inline std::string_view code_of_connection(ErrorCode failed, std::string_view otherwise) {
  if (failed == ErrorCode::kUnauthorized) return "tls_untrusted";
  return failed == ErrorCode::kForbidden ? "tls_certificate_wanted" : otherwise;
}

// A code as the pages write them; whatever else a broker says is no code and not repeated.
inline std::string code_or(std::string_view said, std::string_view otherwise) {
  constexpr std::size_t kMaxCodeBytes = 40;
  const bool is_code = !said.empty() && said.size() <= kMaxCodeBytes &&
                       std::all_of(said.begin(), said.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return std::string(is_code ? said : otherwise);
}

// The error of a code that the broker answered; of one that this version does not know, too. `ref`
// is what the operator finds the rule by; it may be empty.
inline Error error_of(std::string_view code, std::string_view ref = {}) {
  const std::string asked = ref.empty() ? "" : " (ask the operator about " + std::string(ref) + ")";
  for (const BrokerCode& known : kBrokerCodes) {
    if (known.code == code) {
      return {known.kind, std::string(code) + ": " + std::string(known.sentence) + asked};
    }
  }
  return {ErrorCode::kForbidden, std::string(code) + ": the broker refused" + asked};
}

}  // namespace signet::client
