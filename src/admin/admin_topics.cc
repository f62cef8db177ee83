// The HTTP of PulseMesh: what it is, its topics, its history, the form of a pulse. Format:
// protocol/pulsemesh.md. Whoever asks shows a credential, and sees what it may read.
#include <charconv>
#include <initializer_list>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "base/log.h"
#include "broker/topic_desk.h"
#include "crypto/wipe.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using broker::Broker;
using broker::Principal;
using trust::Action;
using wire::JsonWriter;

constexpr std::size_t kHistoryLimit = 100;  // the format's
constexpr std::size_t kMostHistory = 1'000'000;

// `limit` and `after` of a query; nullopt where one is no number.
struct HistoryPage {
  std::size_t limit = kHistoryLimit;
  std::optional<std::uint64_t> after;
};

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return good ? std::optional(number) : std::nullopt;
}

std::optional<HistoryPage> read_history_page(std::string_view query) {
  HistoryPage page;
  if (const auto text = value_in(query, "limit")) {
    const auto limit = whole(*text);
    if (!limit) return std::nullopt;
    page.limit = static_cast<std::size_t>(std::min<std::uint64_t>(*limit, kMostHistory));
  }
  if (const auto text = value_in(query, "after")) {
    page.after = whole(*text);
    if (!page.after) return std::nullopt;
  }
  return page;
}

// The messages are what subscribers got; `total` is how many there are to read.
std::string write_messages(const routing::TopicHistory::Page& page, const HistoryPage& wanted) {
  const std::size_t kept = page.pulses.size();
  const std::size_t skip = wanted.after || wanted.limit >= kept ? 0 : kept - wanted.limit;
  // Of what is asked as "the newest", the newest fit; of what is followed, the oldest.
  std::size_t begin = skip;
  std::size_t end = kept;
  std::size_t bytes = 0;
  for (std::size_t i = skip; i < kept; ++i) bytes += page.pulses[i]->text.size();
  const auto leave_out = [&](std::size_t at) { bytes -= page.pulses[at]->text.size(); };
  while (bytes > dialects::kMaxListBytes && end - begin > 1)
    leave_out(wanted.after ? --end : begin++);
  JsonWriter json;
  json.object().key("messages").array();
  for (std::size_t i = begin; i < end; ++i) json.raw(page.pulses[i]->text);
  json.end().key("total").value(std::uint64_t{kept});
  json.key("next").value(end < kept ? page.pulses[end - 1]->number : page.next);
  if (begin > skip) json.key("cut").value(std::uint64_t{begin - skip});
  if (wanted.after) json.key("gap").value(page.gap).key("more").value(page.more || end < kept);
  return json.end().take();
}

// What a pulse may have; only that it is an object is enforced.
constexpr std::string_view kSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"pulse","type":"object",)"
    R"("properties":{"source":{"type":"string"},"target":{"type":"string"},)"
    R"("topic":{"type":"string"},)"
    R"("intent":{"enum":["update","query","create","govern","reflect"]},"payload":{},)"
    R"("coherence":{"type":"number","minimum":0,"maximum":1},)"
    R"("timestamp":{"type":"string","format":"date-time"},"metadata":{"type":"object"},)"
    R"("_mesh_timestamp":{"type":"string","description":"set by the server"},)"
    R"("_mesh_topic":{"type":"string","description":"set by the server"},)"
    R"("_mesh_from":{"const":"signet","description":"set by the server: it says this itself"}}})";

using Reply = std::function<void(net::HttpResponse)>;

// Answers 403, and true, where `who` may have nothing by any of these actions.
bool is_denied(Broker& home, const Principal& who, const net::PeerAddress& peer, const Reply& reply,
               std::initializer_list<Action> by_any) {
  const auto ref = home.topics().deny_reader(who, peer, by_any);
  if (!ref) return false;
  JsonWriter json;
  json.object().key("ok").value(false).key("error").value(name_of(ReadRefusal::kDenied));
  json.key("detail").value(meaning_of(ReadRefusal::kDenied)).key("ref").value(*ref);
  reply(json_response(403, json.end().take()));
  return true;
}

constexpr std::string_view kPage =
    "<!doctype html><meta charset=utf-8><title>Signet</title><h1>Signet</h1>"
    "<p>A zero-trust real-time broker. <a href=/health>Health</a>.</p>\n";

}  // namespace

std::shared_ptr<const broker::Rules> Admin::rules() const {
  return shared_.rules ? shared_.rules : broker::default_rules();
}

const membership::MeshSnapshot* Admin::bound_mesh(const Call& call) const {
  const auto rules_now = rules();
  const auto slug = rules_now->mesh_for("pulsemesh", call.host, call.path);
  return slug ? mesh_named(*slug) : nullptr;
}

// The operator, or a source with its secret or token, which only the loopback may carry in the
// clear.
// nullopt: refused, and answered.
std::optional<Principal> Admin::reader_of(const Call& call) {
  const membership::MeshSnapshot* mesh = bound_mesh(call);
  if (mesh == nullptr) {
    call.reply(failed(404, "not_found", "no mesh is bound to PulseMesh here"));
    return std::nullopt;
  }
  Principal who;
  who.mesh = mesh->mesh().number;
  who.operates = may_operate(call);
  if (who.operates) return who;
  if (failed_reads_.must_wait(call.peer.limit_key(), shared_.clock.elapsed())) {
    shared_.metrics.http_penalized.add();
    call.reply(text_response(429, "too many wrong secrets\n"));
    return std::nullopt;
  }
  const auto why = read_proof(call, *mesh, who);
  if (!why) return who;
  const std::string_view detail = why->rule.empty() ? meaning_of(why->code) : why->rule;
  const bool is_bare = why->code == ReadRefusal::kNoCredential;
  net::HttpResponse response = failed(is_bare ? 401 : 403, name_of(why->code), detail);
  if (is_bare) {
    response.headers.emplace_back("WWW-Authenticate", R"(Basic realm="signet", charset="UTF-8")");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  call.reply(std::move(response));
  return std::nullopt;
}

// Who shows nothing has tried nothing, and is in no log of what can't be changed.
void Admin::record_unread(const Call& call, MeshNumber mesh, const Unread& why) {
  shared_.metrics.reads_refused[why.code].add();
  const bool is_bare = why.code == ReadRefusal::kNoCredential;
  if (!is_bare) {
    shared_.control_trail.note(audit::Event::kRefused, mesh, {}, call.peer, name_of(why.code));
  }
  if (const auto repeated = unread_log_.take(why.code, shared_.clock.elapsed())) {
    log(is_bare ? LogLevel::kInfo : LogLevel::kWarn, "read.refused",
        {{"reason", name_of(why.code)},
         {"rule", why.rule},
         {"repeated", *repeated},
         {"path", call.path},
         {"peer", call.peer.text()}});
  }
}

// Asks nothing of an address that guessed too often; another wrong guess counts.
std::optional<Admin::Unread> Admin::read_proof(const Call& call,
                                               const membership::MeshSnapshot& mesh,
                                               Principal& who) {
  const auto key = call.peer.limit_key();
  const Elapsed now = shared_.clock.elapsed();
  if (failed_reads_.must_wait(key, now)) return Unread{ReadRefusal::kBadSecret};
  const auto why = check_proof(call, mesh, who);
  if (!why) return std::nullopt;
  record_unread(call, mesh.mesh().number, *why);
  const bool guessed = why->code != ReadRefusal::kNoCredential && options_.penalty_failures > 0;
  if (guessed) failed_reads_.failed(key, now);
  return why;
}

std::optional<Admin::Unread> Admin::check_proof(const Call& call,
                                                const membership::MeshSnapshot& mesh,
                                                Principal& who) const {
  constexpr std::string_view kSecret = "Basic ";
  constexpr std::string_view kToken = "Bearer ";
  const std::string_view shown = call.authorization.reveal();
  if (shown.empty()) return Unread{ReadRefusal::kNoCredential};
  const bool may_carry = call.encrypted || (call.peer.is_loopback() && !call.forwarded);
  if (!may_carry) return Unread{ReadRefusal::kNotPrivate};
  if (shown.starts_with(kSecret)) return check_secret(shown.substr(kSecret.size()), mesh, who);
  if (shown.starts_with(kToken)) return check_token(shown.substr(kToken.size()), mesh, who);
  return Unread{ReadRefusal::kBadSecret};
}

// Of a member that is there: who only reads makes none. Where no token is believed, it was to be
// the operator's.
std::optional<Admin::Unread> Admin::check_token(std::string_view token,
                                                const membership::MeshSnapshot& mesh,
                                                Principal& who) const {
  const auto door = rules()->of(mesh.mesh().slug).tokens;
  if (door == nullptr) return Unread{ReadRefusal::kBadSecret};
  const auto broken = [this](TokenRefusal rule) {
    shared_.metrics.tokens_refused[rule].add();
    return Unread{ReadRefusal::kBadToken, name_of(rule)};
  };
  const auto checked = trust::check_token(token, door->keys, door->rules_for(mesh.mesh().slug),
                                          shared_.clock.wall());
  if (const auto* rule = std::get_if<TokenRefusal>(&checked)) return broken(*rule);
  const auto& facts = std::get<trust::TokenFacts>(checked);
  if (mesh.is_token_revoked(facts.id, facts.subject, facts.issued)) {
    return broken(TokenRefusal::kRevoked);
  }
  const membership::Member* member = mesh.member_with_id(facts.subject);
  const bool is_source =
      member != nullptr && !member->key && facts.subject != membership::kSharedMember;
  if (!is_source || !membership::may_connect(member->standing)) {
    return Unread{ReadRefusal::kNotPermitted};
  }
  who.member = member->number;
  who.source = facts.subject;
  who.proof = trust::Proof::kToken;
  who.token = std::make_shared<const broker::HeldToken>(
      broker::HeldToken{facts.id, facts.key_id, facts.issued, facts.roles});
  return std::nullopt;
}

std::optional<Admin::Unread> Admin::check_secret(std::string_view shown,
                                                 const membership::MeshSnapshot& mesh,
                                                 Principal& who) const {
  const Unread wrong{ReadRefusal::kBadSecret};
  auto decoded = from_base64(shown);
  if (!decoded) return wrong;
  const crypto::SecretText pair(*decoded);
  crypto::wipe(*decoded);
  const std::string_view text = pair.reveal();
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong;
  const std::string_view source = text.substr(0, colon);
  if (!membership::is_source(source)) return wrong;
  const membership::SourceSecret* secret = mesh.secret_for(source);
  const bool shows = secret != nullptr && membership::holds(*secret) &&
                     (secret->secret.matches(text.substr(colon + 1)) ||
                      (membership::previous_holds(*secret, shared_.clock.wall()) &&
                       secret->previous.matches(text.substr(colon + 1))));
  const membership::Member* member = shows ? mesh.member(secret->member) : nullptr;
  if (member == nullptr) return wrong;
  if (!membership::may_connect(member->standing)) return Unread{ReadRefusal::kNotPermitted};
  who.member = member->number;
  who.source = source;
  who.proof = secret->shared ? trust::Proof::kShared : trust::Proof::kSecret;
  return std::nullopt;
}

void Admin::mesh_topics(const Call& call) {
  const auto who = reader_of(call);
  if (!who) return;
  Broker& home = shared_.home_of(who->mesh);
  home.mailbox().post([&home, who = *who, peer = call.peer, reply = call.reply] {
    if (is_denied(home, who, peer, reply, {Action::kReadHistory, Action::kSubscribe})) return;
    home.topics().gather_topics(who, [reply](const std::vector<dialects::TopicEntry>& topics) {
      JsonWriter json;
      json.object().key("topics").array();
      for (const dialects::TopicEntry& topic : topics) {
        json.object().key("name").value(topic.name);
        json.key("subscribers").value(std::uint64_t{topic.subscribers});
        json.key("active").value(true).end();
      }
      reply(json_response(200, json.end().end().take()));
    });
  });
}

void Admin::mesh_history(const Call& call) {
  const auto who = reader_of(call);
  if (!who) return;
  const auto page = read_history_page(call.query);
  if (!page) return call.reply(failed(422, "bad_limit", "limit and after are whole numbers"));
  Broker& home = shared_.home_of(who->mesh);
  const std::size_t asked = page->after ? page->limit : kMostHistory;
  home.mailbox().post(
      [&home, who = *who, page = *page, asked, peer = call.peer, reply = call.reply] {
        if (is_denied(home, who, peer, reply, {Action::kReadHistory})) return;
        home.topics().read_history(who, {{}, page.after, asked},
                                   [&](const routing::TopicHistory::Page& found) {
                                     reply(json_response(200, write_messages(found, page)));
                                   });
      });
}

void Admin::mesh_schema(const Call& call) {
  const auto who = reader_of(call);
  if (!who) return;
  Broker& home = shared_.home_of(who->mesh);
  home.mailbox().post([&home, who = *who, peer = call.peer, reply = call.reply] {
    if (is_denied(home, who, peer, reply, {Action::kReadHistory, Action::kSubscribe})) return;
    reply(json_response(200, std::string(kSchema)));
  });
}

// How much goes on is told to whoever may read, and to all in dev mode.
void Admin::front(const Call& call) {
  const bool is_browser = call.accept.find("text/html") != std::string::npos;
  if (is_browser) return call.reply({200, "text/html; charset=utf-8", {}, std::string(kPage)});
  const membership::MeshSnapshot* mesh = bound_mesh(call);
  Principal who;
  who.operates = options_.open_counts || may_operate(call);
  const bool tries = !call.authorization.empty();
  const bool counts = mesh != nullptr && (who.operates || (tries && !read_proof(call, *mesh, who)));
  const auto answer = [reply = call.reply,
                       version = options_.version](const std::function<void(JsonWriter&)>& add) {
    JsonWriter json;
    json.object().key("service").value("PulseMesh Relay").key("version").value(version);
    json.key("status").value("operational");
    if (add) add(json);
    reply(json_response(200, json.end().take()));
  };
  if (!counts) return answer({});
  who.mesh = mesh->mesh().number;
  const std::int64_t connections = shared_.loads.count(who.mesh);
  Broker& home = shared_.home_of(who.mesh);
  home.mailbox().post([&home, who, answer, connections] {
    home.topics().gather_topics(
        who, [&home, who, answer, connections](const std::vector<dialects::TopicEntry>& topics) {
          // What a reader may not read or see is not counted for it either.
          const std::uint64_t total = who.operates ? home.topics().total(who.mesh) : 0;
          const bool sees = home.topics().sees_presence(who);
          answer([&](JsonWriter& json) {
            json.key("active_topics").value(std::uint64_t{topics.size()});
            if (sees) json.key("active_connections").value(connections);
            if (who.operates) json.key("message_count").value(total);
          });
        });
  });
}

}  // namespace signet::admin
