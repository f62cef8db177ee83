// DocumentReader is what the readers of a mesh's documents share: parsed TOML with places, a table
// read key by key, and every fault kept until the end, so that an operator mends them all at once.
// Only for .cc files of this folder, as toml_fence.h.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/toml_fence.h"
#include "signet/result.h"
#include "trust/policy_document.h"

namespace signet::config {

inline trust::Place place_of(const toml::node& node) {
  return {node.source().begin.line, node.source().begin.column};
}
inline trust::Place place_of(const toml::key& key) {
  return {key.source().begin.line, key.source().begin.column};
}

// The content of a file. Fails kNotFound where it cannot be read, kMalformed where it is larger.
Result<std::string> read_document(const std::string& path, std::size_t max_bytes);

class DocumentReader {
 public:
  explicit DocumentReader(std::string_view name) : name_(name) {}

  // Fails kMalformed with the one fault that parsing stops at.
  Result<toml::table> parse(std::string_view text, std::size_t max_bytes) const;

  void fault(trust::Place at, std::string sentence) {
    faults_.push_back({at, std::move(sentence)});
  }
  std::size_t faults() const { return faults_.size(); }
  void add(std::vector<trust::PolicyFault> more);
  // kMalformed with all of them. REQUIRES: faults() > 0.
  Error error() const;

  // Calls the handler of each key that is there; another key is a fault with a suggestion. `what`
  // is the table in words ("a rule").
  using Handler = std::function<void(const toml::key&, const toml::node&)>;
  using Keys = std::vector<std::pair<std::string, Handler>>;
  void read(const toml::table& table, const Keys& keys, const std::string& what);

  // Each entry of a table whose keys the operator chooses; a fault where `node` is no table.
  void each_entry(const toml::key& key, const toml::node& node, const Handler& take);

  // Each table of a list of tables ([[rule]], or in one line).
  void each_table(const toml::key& key, const toml::node& node,
                  const std::function<void(const toml::table&)>& take);

  // Handlers that set `out`, or say what the key takes.
  Handler text(trust::Placed& out);
  Handler boolean(std::function<void(bool)> take);
  Handler number(std::function<void(double)> take);
  enum class Empty : bool { kRefused, kAllowed };
  Handler texts(trust::PlacedList& out, Empty empty = Empty::kRefused);
  // One of `names`, or a list of them; `take` gets the index. `what` is one of them in words.
  Handler word(const std::vector<std::string>& names, std::string what,
               std::function<void(std::size_t)> take);
  Handler words(const std::vector<std::string>& names, std::string what,
                std::function<void(std::size_t)> take);

 private:
  void take_word(const trust::Placed& given, const std::vector<std::string>& names,
                 const std::string& what, const std::function<void(std::size_t)>& take);

  std::string name_;
  std::vector<trust::PolicyFault> faults_;
};

}  // namespace signet::config
