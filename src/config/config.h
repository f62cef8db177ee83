// Config is every setting with its value and where the value came from: defaults < TOML file <
// environment (SIGNET_SECTION_KEY) < flags. It is immutable and may be read on any thread. It
// holds plain values; the programs map them onto the options of the modules.
//
//   config.duration("net.ping_interval")                        std::chrono::milliseconds
//   config.duration<std::chrono::hours>("store.message_ttl")
//   config.size("net.max_body_bytes"), config.flag("claudemesh.legacy_join"), …
//
// A name that is no setting, or one of another type, does not compile.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/secret.h"
#include "config/settings.h"
#include "config/value.h"
#include "signet/result.h"

namespace signet::config {

enum class Profile : std::uint8_t { kRun, kDev };

// Where a value came from. `where` is "signet.toml:12", "SIGNET_NET_SPIN" or "--listen".
struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string where;
  std::string text() const;  // "default" where there is nothing to name
};

// One [[mesh]] table.
struct MeshSetting {
  std::string slug;
  std::string owner;  // 64 lowercase hex digits, or empty
  std::string id;     // empty: the controller derives one
  std::int64_t max_connections = 0;
  bool legacy_join = false;
  std::string policy;  // a file; empty: policy.file
  std::string routes;  // a file; empty: policy.routes
  bool simpatico_open = false;
  std::chrono::milliseconds max_skew{0};  // of PulseMesh handshakes; 0: off
  std::string shared_secret_file;         // empty: pulsemesh.secret
  std::string token_keys;                 // a file; empty: tokens.keys
  std::string token_issuer;               // empty: tokens.issuer
  std::string token_audience;             // empty: tokens.audience
  std::string hub_action_secret_file;     // empty: hub.action_secret
  std::string hub_engine_secret_file;     // empty: hub.engine_secret
  bool hub_shared_actions = false;
  std::string jobs_types;  // a file; empty: jobs.types_file
  Origin origin;
};

// Is it what a mesh may be called: 1 to 63 of a-z, 0-9 and '-', not first?
bool is_mesh_slug(std::string_view text);

// A setting given on the command line. `spelled` is what the operator typed, for messages.
struct Flag {
  std::string name;  // "server.listen"
  std::string value;
  std::string spelled = "--set";
};

// Reads "section.key=value" of --set.
Result<Flag> parse_set(std::string_view text);

// A secret setting that the environment gave, by its variable: SIGNET_ADMIN_TOKEN.
struct EnvironmentSecret {
  std::string name;
  std::shared_ptr<const Secret> secret;
};

// What load() reads. Within the flags the last one wins, except that lists add up.
struct Sources {
  Profile profile = Profile::kRun;
  std::string file;  // a path; empty: none
  // "NAME=value"; names without SIGNET_ are ignored, but for CREDENTIALS_DIRECTORY.
  std::vector<std::string> environment;
  std::vector<EnvironmentSecret> secrets;  // beside `environment`, and kept out of cores
  std::vector<Flag> flags;
};

// Takes the environment of this process into `sources`. Values of secrets go to `secrets` alone and
// are wiped where the kernel put them, on the stack and in /proc/PID/environ: nothing else may want
// them from there. Before there are threads.
void take_process_environment(Sources& sources);

// The place of a setting in kSettings. Evaluated by the compiler where a literal is given.
constexpr std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    const Setting& s = kSettings[i];
    if (name.size() == s.section.size() + 1 + s.key.size() && name.starts_with(s.section) &&
        name[s.section.size()] == '.' && name.ends_with(s.key)) {
      return i;
    }
  }
  return kSettings.size();
}

// NameOf is the name of a setting of one of the types, checked by the compiler.
template <Type... kTypes>
struct NameOf {
  std::size_t index;
  consteval NameOf(const char* name) : index(index_of(name)) {
    if (index == kSettings.size()) throw "no such setting";
    if (!((kSettings[index].type == kTypes) || ...)) throw "a setting of another type";
  }
};
using FlagName = NameOf<Type::kBool>;
using NumberName = NameOf<Type::kInteger, Type::kBytes>;
using TextName = NameOf<Type::kText, Type::kChoice>;
using ListName = NameOf<Type::kList, Type::kAddresses>;
using SecretName = NameOf<Type::kSecret>;

// DurationName also refuses a Target that could not hold the setting's step exactly.
template <class Target>
struct DurationName {
  std::size_t index;
  consteval DurationName(const char* name) : index(NameOf<Type::kDuration>(name).index) {
    const auto step = std::chrono::microseconds(step_of(kSettings[index].unit));
    if (std::chrono::duration_cast<Target>(step) != step) throw "the unit is too coarse";
  }
};

class Config {
 public:
  struct Entry {
    Value value;
    Origin origin;
    std::shared_ptr<const Secret> secret;  // kSecret only, never null there
  };

  // For load(). REQUIRES: one entry per row of kSettings.
  Config(std::vector<Entry> entries, std::vector<MeshSetting> meshes,
         std::vector<std::string> warnings);

  bool flag(FlagName name) const { return entries_[name.index].value.number != 0; }
  std::int64_t integer(NumberName name) const { return entries_[name.index].value.number; }
  std::size_t size(NumberName name) const { return static_cast<std::size_t>(integer(name)); }
  const std::string& text(TextName name) const { return entries_[name.index].value.text; }
  const std::vector<std::string>& list(ListName name) const {
    return entries_[name.index].value.list;
  }
  const Secret& secret(SecretName name) const { return *entries_[name.index].secret; }
  template <class Target = std::chrono::milliseconds>
  Target duration(std::type_identity_t<DurationName<Target>> name) const {
    return std::chrono::duration_cast<Target>(
        std::chrono::microseconds(entries_[name.index].value.number));
  }

  const std::vector<MeshSetting>& meshes() const { return meshes_; }

  // What is odd but no error: unknown SIGNET_* variables.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // In the order of kSettings.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::vector<MeshSetting> meshes_;
  std::vector<std::string> warnings_;
};

// Reads every source. On failure `detail` holds one line per fault, each with its place
// ("signet.toml:12:3: …"), so that an operator mends them in one go. Fails kNotFound where the
// file is absent, else kMalformed.
Result<Config> load(const Sources& sources);

}  // namespace signet::config
