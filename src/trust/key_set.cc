#include "trust/key_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "trust/json_web_key.h"

namespace signet::trust {
namespace {

constexpr const char* kNameless = "has no kid, which keys need where there are several";

Error at_place(std::size_t index, const std::string& detail) {
  return {ErrorCode::kMalformed, "keys[" + std::to_string(index) + "]: " + detail};
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view json) {
  SIGNET_TRY(const wire::JsonDocument document, read_key_text(json));
  SIGNET_TRY(const auto values, keys_of(document.root()));
  KeySet set;
  std::optional<std::size_t> nameless;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto read = read_json_web_key(values[i], KeyMembers::kPublic);
    if (!read.ok()) return at_place(i, read.error().detail);
    if (!*read) {
      ++set.skipped_;
      continue;
    }
    const JsonWebKey& key = **read;
    if (key.has_private) {
      return at_place(i,
                      "is the key that signs; here belongs what `signet token key public` shows");
    }
    auto made = crypto::TokenKey::verifying(key.parts);
    if (!made.ok()) return at_place(i, made.error().detail);
    const bool symmetric = key.parts.algorithm == crypto::TokenAlgorithm::kHs256;
    if (!set.keys_.empty() && symmetric != set.symmetric_) {
      return at_place(i, "a set has either secrets or public keys");
    }
    set.symmetric_ = symmetric;
    if (!set.keys_.emplace(key.id, *std::move(made)).second) {
      return at_place(i, key.id.empty() ? kNameless : "another key has its kid");
    }
    if (key.id.empty()) nameless = i;
  }
  if (nameless && set.keys_.size() > 1) return at_place(*nameless, kNameless);
  if (set.keys_.empty()) return Error{ErrorCode::kMalformed, "has no key for signatures"};
  return set;
}

const crypto::TokenKey* KeySet::find(std::string_view id) const {
  if (!is_key_id(id)) return nullptr;
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

const crypto::TokenKey* KeySet::only() const {
  return keys_.size() == 1 ? &keys_.begin()->second : nullptr;
}

bool KeySet::shares_key_with(const KeySet& other) const {
  const auto is_there = [&](const auto& mine) {
    return std::any_of(other.keys_.begin(), other.keys_.end(), [&](const auto& theirs) {
      return mine.second.digest() == theirs.second.digest();
    });
  };
  return std::any_of(keys_.begin(), keys_.end(), is_there);
}

}  // namespace signet::trust
