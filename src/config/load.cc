// load() takes the sources one after the other, each over what was there, and collects faults
// instead of stopping at the first.
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "config/config.h"
#include "config/credential.h"
#include "config/nearest.h"
#include "config/toml_file.h"
#include "trust/hello.h"

namespace signet::config {
namespace {

using Kind = Origin::Kind;

bool is_list(Type type) { return type == Type::kList || type == Type::kAddresses; }

std::string suggestion(std::string_view given, const std::vector<std::string>& names) {
  const std::string name = nearest(given, names);
  return name.empty() ? "" : "; did you mean " + name + "?";
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string given(const FileEntry& entry) {
  switch (entry.kind) {
    case FileEntry::Kind::kBoolean:
    case FileEntry::Kind::kInteger:
      return entry.text;
    case FileEntry::Kind::kString:
      return quoted(entry.text);
    case FileEntry::Kind::kStrings: {
      std::string text = "[";
      for (const std::string& part : entry.list) {
        text.append(text.size() == 1 ? "" : ", ").append(quoted(part));
      }
      return text + "]";
    }
    case FileEntry::Kind::kOther:
      break;
  }
  return "a value of another kind";
}

bool fits(Type type, FileEntry::Kind kind) {
  switch (type) {
    case Type::kBool:
      return kind == FileEntry::Kind::kBoolean;
    case Type::kInteger:
      return kind == FileEntry::Kind::kInteger;
    case Type::kBytes:
      return kind == FileEntry::Kind::kInteger || kind == FileEntry::Kind::kString;
    case Type::kDuration:
    case Type::kText:
    case Type::kChoice:
    case Type::kSecret:
      return kind == FileEntry::Kind::kString;
    case Type::kList:
    case Type::kAddresses:
      return kind == FileEntry::Kind::kStrings;
  }
  return false;
}

// Digits and 'a'..'f' in either case; the value is kept in lowercase.
bool lower_hex(std::string& text) {
  for (char& c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return true;
}

class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {}

  Result<Config> run() {
    take_defaults();
    if (!sources_.file.empty()) take_file();
    take_environment();
    take_flags();
    resolve_credentials();
    take_secret_files();
    check_orders();
    finish_meshes();
    if (!faults_.empty()) return Error{code_, faults_};
    return Config(std::move(entries_), std::move(meshes_), std::move(warnings_));
  }

 private:
  void fault(const std::string& text) { faults_.append(faults_.empty() ? "" : "\n").append(text); }

  void refuse(const Setting& setting, const std::string& where, const std::string& what,
              const Error& why) {
    fault(where + ": " + name_of(setting) + " is " + (setting.secret() ? "********" : what) + "; " +
          why.detail);
  }

  // A value from text; `what` is how messages quote it.
  void take(std::size_t index, std::string_view text, Origin origin) {
    const Setting& setting = kSettings[index];
    // An empty secret is none, so that an unset variable can be passed on.
    const bool none = setting.secret() && text.empty();
    auto value = none ? Result<Value>(Value{}) : parse_value(setting, text);
    if (!value.ok()) {
      return refuse(setting, origin.where, setting.secret() ? "" : quoted(text), value.error());
    }
    Config::Entry& entry = entries_[index];
    const bool adds =
        is_list(setting.type) && origin.kind == Kind::kFlag && entry.origin.kind == Kind::kFlag;
    if (adds) {
      value->list.insert(value->list.begin(), entry.value.list.begin(), entry.value.list.end());
      const auto again = parse_list(setting, value->list);
      if (!again.ok()) return refuse(setting, origin.where, quoted(text), again.error());
    }
    if (setting.secret()) entry.secret = std::make_shared<const Secret>(text);
    entry.value = *std::move(value);
    entry.origin = std::move(origin);
  }

  void take_defaults() {
    entries_.resize(kSettings.size());
    for (std::size_t i = 0; i < kSettings.size(); ++i) {
      const Setting& setting = kSettings[i];
      const bool dev = sources_.profile == Profile::kDev && !setting.dev_text.empty();
      take(i, dev ? setting.dev_text : setting.default_text, {Kind::kDefault, "default"});
    }
  }

  void take_file() {
    const auto file = read_toml(sources_.file);
    if (!file.ok()) {
      code_ = file.error().code;
      return fault(file.error().detail);
    }
    for (const std::uint32_t line : file->mesh_lines) {
      meshes_.emplace_back().origin = {Kind::kFile, sources_.file + ":" + std::to_string(line)};
    }
    mesh_has_.resize(meshes_.size());
    for (const FileEntry& entry : file->entries) take_entry(entry);
  }

  void take_entry(const FileEntry& entry) {
    const std::string line = sources_.file + ":" + std::to_string(entry.line);
    const std::string where = line + ":" + std::to_string(entry.column);
    if (entry.section == "mesh") return take_mesh_entry(entry, where);
    const std::string name = entry.section.empty() ? entry.key : entry.section + "." + entry.key;
    const std::size_t index = index_of(name);
    if (index == kSettings.size()) {
      return fault(where + ": " + name + " is no setting" + suggestion(name, names()));
    }
    const Setting& setting = kSettings[index];
    if (setting.secret()) {
      return fault(where + ": " + name + " is a secret and not written into this file; use " +
                   name + "_file or " + environment_name(setting));
    }
    if (!fits(setting.type, entry.kind)) {
      return refuse(setting, where, given(entry),
                    {ErrorCode::kMalformed, "allowed is " + allowed(setting)});
    }
    auto value =
        is_list(setting.type) ? parse_list(setting, entry.list) : parse_value(setting, entry.text);
    if (!value.ok()) return refuse(setting, where, given(entry), value.error());
    entries_[index].value = *std::move(value);
    entries_[index].origin = {Kind::kFile, line};
  }

  void take_mesh_entry(const FileEntry& entry, const std::string& where) {
    const auto* const setting = std::find_if(kMeshSettings.begin(), kMeshSettings.end(),
                                             [&](const Setting& s) { return s.key == entry.key; });
    if (meshes_.empty()) return fault(where + ": meshes are written [[mesh]], one table each");
    if (setting == kMeshSettings.end()) {
      std::vector<std::string> known;
      known.reserve(kMeshSettings.size());
      for (const Setting& s : kMeshSettings) known.push_back(name_of(s));
      const std::string name = "mesh." + entry.key;
      return fault(where + ": " + name + " is no setting of a [[mesh]]" + suggestion(name, known));
    }
    if (entry.key == "slug") mesh_has_[entry.mesh].slug = true;
    auto value =
        fits(setting->type, entry.kind)
            ? parse_value(*setting, entry.text)
            : Result<Value>(Error{ErrorCode::kMalformed, "allowed is " + allowed(*setting)});
    if (!value.ok()) return refuse(*setting, where, given(entry), value.error());
    assign(entry, *value, where);
  }

  void assign(const FileEntry& entry, Value& value, const std::string& where) {
    MeshSetting& mesh = meshes_[entry.mesh];
    const auto wrong = [&](const char* rule) {
      fault(where + ": mesh." + entry.key + " is " + quoted(value.text) + "; allowed is " + rule);
    };
    if (entry.key == "slug") {
      if (!is_mesh_slug(value.text)) return wrong("a-z, 0-9 and '-', not first");
      mesh.slug = std::move(value.text);
    } else if (entry.key == "owner") {
      const bool absent = value.text.empty();
      if (!absent && (value.text.size() != 64 || !lower_hex(value.text))) {
        return wrong("64 hex digits");
      }
      mesh.owner = std::move(value.text);
    } else if (entry.key == "id") {
      const bool absent = value.text.empty();
      if (!absent && !trust::is_hello_id(value.text)) {
        return wrong("1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', as in a hello");
      }
      mesh.id = std::move(value.text);
    } else if (entry.key == "max_connections") {
      mesh.max_connections = value.number;
      mesh_has_[entry.mesh].max_connections = true;
    } else if (entry.key == "legacy_join") {
      mesh.legacy_join = value.number != 0;
      mesh_has_[entry.mesh].legacy_join = true;
    } else if (entry.key == "token_issuer") {
      mesh.token_issuer = std::move(value.text);
    } else if (entry.key == "token_audience") {
      mesh.token_audience = std::move(value.text);
    } else if (std::string* file = file_of(mesh, entry.key)) {
      *file = std::move(value.text);
    } else if (entry.key == "hub_shared_actions") {
      mesh.hub_shared_actions = value.number != 0;
      mesh_has_[entry.mesh].hub_shared_actions = true;
    } else if (entry.key == "simpatico_open") {
      mesh.simpatico_open = value.number != 0;
      mesh_has_[entry.mesh].simpatico_open = true;
    } else {
      mesh.max_skew = milliseconds_of(value);
      mesh_has_[entry.mesh].max_skew = true;
    }
  }

  static std::chrono::milliseconds milliseconds_of(const Value& value) {
    return std::chrono::milliseconds(value.number / kMillisecond);
  }

  void take_environment() {
    Variables known;
    for (std::size_t i = 0; i < kSettings.size(); ++i) known[environment_name(kSettings[i])] = i;
    if (sources_.profile == Profile::kDev) {
      for (const DevVariable& each : kDevVariables) {
        known.emplace(each.variable, index_of(each.setting));
      }
    }
    for (const std::string& variable : sources_.environment) {
      if (!variable.starts_with("SIGNET_")) continue;
      const std::string name = variable.substr(0, variable.find('='));
      const auto found = known.find(name);
      if (found != known.end()) {
        const std::size_t from = std::min(name.size() + 1, variable.size());
        take(found->second, std::string_view(variable).substr(from), {Kind::kEnvironment, name});
        continue;
      }
      warn_of_variable(name, known);
    }
    for (const EnvironmentSecret& given : sources_.secrets) {
      const auto found = known.find(given.name);
      if (found == known.end()) {
        warn_of_variable(given.name, known);
      } else {
        take(found->second, given.secret->reveal(), {Kind::kEnvironment, given.name});
      }
    }
  }

  using Variables = std::map<std::string, std::size_t, std::less<>>;

  void warn_of_variable(const std::string& name, const Variables& known) {
    // Those of the command `signet`, which one shell often has beside the daemon's.
    constexpr std::array<std::string_view, 5> kOfTheCommand{
        "SIGNET_CA_FILE", "SIGNET_OPERATOR_SOCKET", "SIGNET_OPERATOR_TOKEN",
        "SIGNET_OPERATOR_TOKEN_FILE", "SIGNET_OPERATOR_URL"};
    if (std::find(kOfTheCommand.begin(), kOfTheCommand.end(), name) != kOfTheCommand.end()) return;
    std::vector<std::string> candidates;
    candidates.reserve(known.size());
    for (const auto& [candidate, index] : known) candidates.push_back(candidate);
    warnings_.push_back(name + " is no setting and is ignored" + suggestion(name, candidates));
  }

  void take_flags() {
    for (const Flag& flag : sources_.flags) {
      const std::size_t index = index_of(flag.name);
      if (index == kSettings.size()) {
        fault(flag.spelled + ": " + flag.name + " is no setting" + suggestion(flag.name, names()));
      } else if (kSettings[index].secret()) {
        fault(flag.spelled + ": " + flag.name +
              " is a secret, and every user of this machine can read a command line; use " +
              flag.name + "_file or " + environment_name(kSettings[index]));
      } else {
        take(index, flag.value, {Kind::kFlag, flag.spelled});
      }
    }
  }

  // What names a credential of systemd becomes the path of it, here and for everybody who reads it.
  void resolve_credentials() {
    constexpr std::string_view kVariable = "CREDENTIALS_DIRECTORY=";
    std::string_view folder;
    for (const std::string& variable : sources_.environment) {
      if (variable.starts_with(kVariable))
        folder = std::string_view(variable).substr(kVariable.size());
    }
    const auto resolve = [&](const Setting& setting, std::string& text, const std::string& where) {
      auto path = resolve_credential(text, folder);
      if (!path.ok()) refuse(setting, where, quoted(text), path.error());
      text = path.ok() ? *std::move(path) : std::string();  // one fault is enough
    };
    for (std::size_t i = 0; i < kSettings.size(); ++i) {
      if (!names_file(kSettings[i])) continue;
      resolve(kSettings[i], entries_[i].value.text, entries_[i].origin.where);
    }
    for (MeshSetting& mesh : meshes_) {
      for (const Setting& setting : kMeshSettings) {
        if (std::string* file = file_of(mesh, setting.key)) {
          resolve(setting, *file, mesh.origin.where);
        }
      }
    }
  }

  static std::string* file_of(MeshSetting& mesh, std::string_view key) {
    if (key == "policy") return &mesh.policy;
    if (key == "routes") return &mesh.routes;
    if (key == "shared_secret_file") return &mesh.shared_secret_file;
    if (key == "token_keys") return &mesh.token_keys;
    if (key == "hub_action_secret_file") return &mesh.hub_action_secret_file;
    if (key == "hub_engine_secret_file") return &mesh.hub_engine_secret_file;
    if (key == "jobs_types") return &mesh.jobs_types;
    return nullptr;
  }

  // `<key>_file` names where a secret is, unless the environment gave it.
  void take_secret_files() {
    for (std::size_t i = 0; i < kSettings.size(); ++i) {
      if (!kSettings[i].secret() || !entries_[i].secret->empty()) continue;
      const std::string file_name = name_of(kSettings[i]) + "_file";
      const std::size_t file = index_of(file_name);
      if (file == kSettings.size() || entries_[file].value.text.empty()) continue;
      const Origin& origin = entries_[file].origin;
      std::string text;
      const Status read = read_secret(entries_[file].value.text, text);
      if (read.ok() && text.empty()) {
        refuse(kSettings[file], origin.where, quoted(entries_[file].value.text),
               {ErrorCode::kMalformed, "the file is empty"});
      } else if (read.ok()) {
        take(i, text, {Kind::kFile, entries_[file].value.text});
      } else {
        fault(origin.where + ": " + file_name + " is " + quoted(entries_[file].value.text) + "; " +
              read.error().detail);
      }
      explicit_bzero(text.data(), text.size());
    }
  }

  void check_orders() {
    for (const Order& order : kOrders) {
      const std::size_t smaller = index_of(order.smaller), larger = index_of(order.larger);
      const Config::Entry &low = entries_[smaller], &high = entries_[larger];
      if (low.value.number < high.value.number) continue;
      const bool low_is_later = low.origin.kind >= high.origin.kind;
      fault((low_is_later ? low : high).origin.where + ": " + std::string(order.smaller) + " is " +
            print_value(kSettings[smaller], low.value) + " (" + low.origin.where +
            ") and must be less than " + std::string(order.larger) + ", " +
            print_value(kSettings[larger], high.value) + " (" + high.origin.where +
            "): " + std::string(order.reason));
    }
  }

  void finish_meshes() {
    Places slugs, ids;
    for (std::size_t i = 0; i < meshes_.size(); ++i) {
      MeshSetting& mesh = meshes_[i];
      if (!mesh_has_[i].max_connections) {
        mesh.max_connections = entries_[index_of("claudemesh.max_connections")].value.number;
      }
      if (!mesh_has_[i].legacy_join) {
        mesh.legacy_join = entries_[index_of("claudemesh.legacy_join")].value.number != 0;
      }
      if (!mesh_has_[i].simpatico_open) {
        mesh.simpatico_open = entries_[index_of("simpatico.open")].value.number != 0;
      }
      if (!mesh_has_[i].hub_shared_actions) {
        mesh.hub_shared_actions = entries_[index_of("hub.shared_actions")].value.number != 0;
      }
      if (!mesh_has_[i].max_skew) {
        mesh.max_skew = milliseconds_of(entries_[index_of("pulsemesh.max_skew")].value);
      }
      const std::string& where = mesh.origin.where;
      if (!mesh_has_[i].slug) fault(where + ": this [[mesh]] has no slug");
      check_unique("slug", mesh.slug, where, slugs);
      check_unique("id", mesh.id, where, ids);
    }
  }

  using Places = std::map<std::string, std::string, std::less<>>;

  void check_unique(const char* key, const std::string& name, const std::string& where,
                    Places& places) {
    if (name.empty()) return;
    const auto [at, fresh] = places.emplace(name, where);
    if (!fresh) fault(where + ": mesh." + key + " is " + quoted(name) + ", as in " + at->second);
  }

  static std::vector<std::string> names() {
    std::vector<std::string> all;
    all.reserve(kSettings.size());
    for (const Setting& setting : kSettings) all.push_back(name_of(setting));
    return all;
  }

  struct Given {
    bool slug = false;  // also a bad one, which has been reported
    bool max_connections = false;
    bool legacy_join = false;
    bool simpatico_open = false;
    bool hub_shared_actions = false;
    bool max_skew = false;
  };

  const Sources& sources_;
  std::vector<Config::Entry> entries_;
  std::vector<MeshSetting> meshes_;
  std::vector<Given> mesh_has_;  // what each mesh set itself
  std::vector<std::string> warnings_;
  std::string faults_;
  ErrorCode code_ = ErrorCode::kMalformed;
};

}  // namespace

bool is_mesh_slug(std::string_view text) {
  constexpr std::size_t kLongest = 63;  // as in kMeshSettings
  const bool word = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return word && !text.empty() && text.size() <= kLongest && text.front() != '-';
}

Result<Config> load(const Sources& sources) { return Loader(sources).run(); }

Result<Flag> parse_set(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error{ErrorCode::kMalformed,
                 "--set: " + quoted(text) + " is not of the form section.key=value"};
  }
  return Flag{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), "--set"};
}

void take_process_environment(Sources& sources) {
  std::set<std::string, std::less<>> secrets;
  for (const Setting& setting : kSettings) {
    if (setting.secret()) secrets.insert(environment_name(setting));
  }
  for (const DevVariable& each : kDevVariables) {
    if (kSettings[index_of(each.setting)].secret()) secrets.emplace(each.variable);
  }
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable(*at);
    const std::size_t equals = std::min(variable.find('='), variable.size());
    if (secrets.find(variable.substr(0, equals)) == secrets.end()) {
      sources.environment.emplace_back(variable);
    } else if (equals < variable.size()) {
      const std::string_view value = variable.substr(equals + 1);
      sources.secrets.push_back(
          {std::string(variable.substr(0, equals)), std::make_shared<const Secret>(value)});
      explicit_bzero(*at + equals + 1, value.size());
    }
  }
}

}  // namespace signet::config
