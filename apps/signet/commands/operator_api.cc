#include "signet/commands/operator_api.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>

#include "client/broker_codes.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::string_view kBase = "/api/signet/v1";
constexpr const char* kTokenVariable = "SIGNET_OPERATOR_TOKEN";
constexpr const char* kTokenFileVariable = "SIGNET_OPERATOR_TOKEN_FILE";
constexpr const char* kSocketVariable = "SIGNET_OPERATOR_SOCKET";
constexpr const char* kUrlVariable = "SIGNET_OPERATOR_URL";
constexpr std::string_view kSocketAuthority = "http://signet";  // what Host says there
constexpr int kMaxPages = 10'000;  // ten million members: a broker that never ends its list

// server.data and admin.socket as they are by default, and as packages lay them out.
constexpr std::array<const char*, 3> kUsualSockets{"data/signet.sock", "/run/signet/signet.sock",
                                                   "/var/lib/signet/signet.sock"};

bool is_socket(const char* path) {
  struct stat facts {};
  return stat(path, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

// True where nobody but this user or root can have put it there.
bool is_ours(const struct stat& facts) { return facts.st_uid == geteuid() || facts.st_uid == 0; }

std::string absolute(const std::string& path) {
  std::array<char, PATH_MAX> whole{};
  return realpath(path.c_str(), whole.data()) == nullptr ? path : std::string(whole.data());
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Behind the options, so that an option is never at odds with a variable.
OperatorAddress address_of_environment(const std::string& token_file) {
  return {
      .socket = variable(kSocketVariable), .url = variable(kUrlVariable), .token_file = token_file};
}

OperatorAddress usual_address() {
  for (const char* path : kUsualSockets) {
    const bool is_trusted = *path == '/' || is_own_socket(path);
    if (is_trusted && is_socket(path))
      return {.socket = absolute(path), .url = {}, .token_file = {}};
  }
  return {};
}

Result<std::string> first_line(const std::string& path) {
  SIGNET_TRY(const std::string text, read_private_file(path));
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string detail_of(const client::HttpAnswer& answer) {
  wire::JsonDocument document;
  if (!document.parse(answer.body).ok()) return {};
  return printable_line(document.root()["detail"].string().value_or(""));
}

// What the broker lacks, by how its sentence begins, and where that is seen or made.
struct Missing {
  std::string_view detail, what_to_do;
};
constexpr std::array kMissing = std::to_array<Missing>({
    {"no such mesh", "`signet mesh list --broker` shows what is there; say which: --mesh SLUG."},
    {"no such member or source",
     "`signet member list` and `signet secret list` show who is there."},
    {"no such member", "`signet member list` shows who is there."},
    {"no such invite", "`signet invite list` shows what is there."},
    {"no such source", "`signet secret list` shows what is there."},
    {"no such role", "`signet policy show` has the roles."},
    {"no such refusal",
     "The id is in what the peer was told and in the broker's log; the broker "
     "remembers the latest ones, until it ends."},
    {"no such node", "`signet node list` shows what is there."},
    {"no such job", "`signet job list` shows what is there."},
    {"no overlay",
     "In the broker's configuration: server.bindings = [\"overlay=MESH\"] and "
     "overlay.key_file (docs/overlay.md)."},
    {"Hub is not set up",
     "In the broker's configuration: server.bindings = [\"hub=MESH\"], whose "
     "tokens it believes, and the two secrets of hub (docs/hub.md)."},
    {"no such path", "Is the broker older than this program? `signet doctor` shows both versions."},
});

Error nothing_there(const std::string& detail) {
  if (detail.empty()) {
    return failure(ErrorCode::kNotFound, "not_found", "no operator's API is there",
                   "It is at admin.listen, or at signet.sock in the data folder of the daemon.");
  }
  const auto known = std::find_if(kMissing.begin(), kMissing.end(), [&](const Missing& each) {
    return std::string_view(detail).starts_with(each.detail);
  });
  return failure(ErrorCode::kNotFound, "not_found", "the broker says: " + detail,
                 known == kMissing.end() ? std::string_view() : known->what_to_do);
}

}  // namespace

Error operator_refusal(const client::HttpAnswer& answer) {
  const std::string detail = detail_of(answer);
  const std::string why = detail.empty() ? "" : ": " + detail;
  switch (answer.status) {
    case 400:
      return failure(ErrorCode::kMalformed, "bad_request", "the broker refuses this" + why);
    case 401:
      return failure(ErrorCode::kForbidden, "denied", "the broker wants the operator's token",
                     "Set SIGNET_OPERATOR_TOKEN or name --operator-token-file.");
    case 403:
      return failure(ErrorCode::kForbidden, "denied", "the broker does not allow this" + why,
                     "Is it the right operator token? A revocation is final.");
    case 404:
      return nothing_there(detail);
    case 409:
      return failure(ErrorCode::kConflict, "conflict",
                     "something that is there stands in the way" + why);
    case 429:
      return failure(ErrorCode::kOverloaded, "rate_limited", "the broker is asked too often");
    case 503:
      return failure(ErrorCode::kUnavailable, "unavailable", "the broker can't do this now" + why,
                     "Its store is full, busy or failed: look at /readyz, then try again.");
    default:
      return failure(
          ErrorCode::kUnavailable, "no_broker",
          "what answers there is no Signet broker (status " + std::to_string(answer.status) + ")");
  }
}

namespace {

// A transport failure carries no code of its own.
Error unreachable(const Error& error, const OperatorAddress& address) {
  const std::string where = address.socket.empty() ? address.url : address.socket;
  const auto code = client::code_of_connection(error.code, "operator_unreachable");
  if (code != "operator_unreachable") {
    return failure(error.code, code, where + ": " + tell(error).message);
  }
  return failure(error.code, code, where + " does not answer: " + tell(error).message,
                 "Is the broker running, and is this where it listens?");
}

}  // namespace

bool is_own_socket(const std::string& path) {
  struct stat socket {};
  struct stat folder {};
  const auto slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "." : path.substr(0, slash + 1) + ".";
  if (lstat(path.c_str(), &socket) != 0 || stat(above.c_str(), &folder) != 0) return false;
  return S_ISSOCK(socket.st_mode) && is_ours(socket) && is_ours(folder) &&
         (folder.st_mode & 0022U) == 0;
}

Result<OperatorApi> OperatorApi::open(const Context& context, const OperatorAddress& options,
                                      const OwnedMesh* mesh) {
  OperatorApi api;
  api.trust_ = context.trust;
  api.address_ = options;
  if (!api.address_.is_given()) api.address_ = address_of_environment(options.token_file);
  if (!api.address_.is_given() && mesh != nullptr) api.address_ = mesh->reached;
  if (!api.address_.is_given()) api.address_ = usual_address();
  if (!api.address_.is_given()) {
    return usage_error("where the broker's operator API is, is not known",
                       "On the broker's machine: --operator-socket PATH (signet.sock in its data "
                       "folder); elsewhere: --operator-url URL and SIGNET_OPERATOR_TOKEN.");
  }
  if (!api.address_.socket.empty()) {
    api.address_.socket = absolute(api.address_.socket);
    return api;
  }
  const char* token = std::getenv(kTokenVariable);
  if (api.address_.token_file.empty()) api.address_.token_file = variable(kTokenFileVariable);
  if (!api.address_.token_file.empty()) {
    SIGNET_TRY(api.token_, first_line(api.address_.token_file));
    api.address_.token_file = absolute(api.address_.token_file);
  } else if (token != nullptr) {
    api.token_ = token;
  }
  return api;
}

Result<wire::JsonDocument> OperatorApi::get(const std::string& path) const {
  return call("GET", path, "");
}

Result<wire::JsonDocument> OperatorApi::post(const std::string& path,
                                             const std::string& body) const {
  return call("POST", path, body);
}

Result<std::string> OperatorApi::get_text(const std::string& path) const {
  return answer("GET", path, "");
}

Result<std::string> OperatorApi::answer(std::string_view method, const std::string& path,
                                        const std::string& body) const {
  const bool is_local = !address_.socket.empty();
  std::string base = is_local ? std::string(kSocketAuthority) : address_.url;
  while (base.ends_with('/')) base.pop_back();
  const auto url = client::parse_url(base + std::string(kBase) + path);
  if (!url.ok()) {
    return usage_error(address_.url + " is no address of an operator API: " + url.error().detail,
                       "It looks like http://127.0.0.1:8089, where a broker's admin.listen is.");
  }
  const std::string bearer = "Bearer " + token_;
  client::HttpOptions options;
  if (!is_local && !token_.empty()) options.headers.push_back({"Authorization", bearer});
  options.unix_socket = address_.socket;
  options.tls.ca_file = trust_.ca_file;
  options.tls.allow_tls12 = trust_.allow_tls12;
  const Progress progress("asking the broker");
  auto told = client::http_request(*url, method, body, kAnswerTimeout, options);
  if (!told.ok()) return unreachable(told.error(), address_);
  if (told->status != 200) return operator_refusal(*told);
  return std::move(told->body);
}

Result<wire::JsonDocument> OperatorApi::call(std::string_view method, const std::string& path,
                                             const std::string& body) const {
  SIGNET_TRY(const std::string text, answer(method, path, body));
  wire::JsonDocument document;
  if (!document.parse(text).ok() || !document.root().is(wire::JsonKind::kObject)) {
    return failure(ErrorCode::kUnavailable, "no_broker",
                   "what answers there is no Signet broker of this version");
  }
  return document;
}

Status OperatorApi::each_page(const std::string& path,
                              const std::function<void(const wire::JsonValue&)>& take) const {
  const std::string first = path + (path.find('?') == std::string::npos ? "?" : "&");
  std::string after;
  for (int page = 0; page < kMaxPages; ++page) {
    SIGNET_TRY(const auto answer,
               get(first + "limit=1000" + (after.empty() ? "" : "&after=" + after)));
    take(answer.root());
    after = answer.root()["next"].string().value_or("");
    if (after.empty()) return Done{};
  }
  return failure(ErrorCode::kUnavailable, "no_broker", "the broker's list does not end");
}

std::shared_ptr<OperatorAddress> add_operator_options(CLI::App& command) {
  auto address = std::make_shared<OperatorAddress>();
  auto* socket = command
                     .add_option("--operator-socket", address->socket,
                                 "the daemon's Unix socket, signet.sock in its data folder (or "
                                 "`SIGNET_OPERATOR_SOCKET`)")
                     ->type_name("PATH");
  command
      .add_option("--operator-url", address->url,
                  "its HTTP address (or `SIGNET_OPERATOR_URL`); the token is in a file or in "
                  "`SIGNET_OPERATOR_TOKEN`")
      ->type_name("URL")
      ->excludes(socket);
  command
      .add_option("--operator-token-file", address->token_file,
                  "file with the operator's token (or `SIGNET_OPERATOR_TOKEN_FILE`)")
      ->type_name("FILE");
  return address;
}

Result<OperatorMesh> operator_mesh(Context& context) {
  SIGNET_TRY(const Profiles profiles, context.profiles());
  SIGNET_TRY(std::vector<OwnedMesh> owned, load_owned(context.paths));
  std::erase_if(owned, [](const OwnedMesh& each) { return !each.is_made(); });
  OperatorMesh mesh{context.mesh, context.mesh, nullptr};
  if (mesh.name.empty() && profiles.all.empty() && owned.size() == 1) {
    mesh = {owned.front().mesh_id, owned.front().slug, nullptr};
  } else if (mesh.name.empty()) {
    SIGNET_TRY(const Profile profile, profiles.choose(""));
    mesh = {profile.mesh_id, profile.slug, nullptr};
  } else if (const Profile* profile = profiles.find(mesh.name)) {
    mesh.name = profile->mesh_id;
  }
  for (const OwnedMesh& each : owned) {
    if (each.mesh_id != mesh.name && each.slug != mesh.name) continue;
    mesh.name = each.mesh_id;
    mesh.owned = std::make_unique<OwnedMesh>(each);
  }
  return mesh;
}

}  // namespace signet::cli
