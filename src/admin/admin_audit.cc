// The log, for operators: its entries as they are, its signed head, and proofs that hold without
// believing whoever answers.
#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "audit/checkpoint.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using wire::JsonWriter;

net::HttpResponse plain(std::string text, const char* type = "text/plain; charset=utf-8") {
  return {200, type, {{"Cache-Control", "no-store"}}, std::move(text)};
}

net::HttpResponse answer_of_page(const store::LogPage& page) {
  std::string lines;
  for (const std::string& line : page.lines) lines.append(line).push_back('\n');
  return plain(std::move(lines), "application/jsonl");
}

net::HttpResponse answer_of_proof(const store::LogProof& proof, std::string_view smaller,
                                  std::uint64_t number, std::string_view larger,
                                  std::uint64_t entries) {
  JsonWriter json;
  json.object().key(smaller).value(number).key(larger).value(entries);
  json.key("root").value(to_base64(proof.root)).key("hashes").array();
  for (const crypto::MerkleHash& hash : proof.hashes) json.value(to_base64(hash));
  return succeeded(json.end().end().take());
}

}  // namespace

void Admin::audit_call(const Call& call, std::string_view what) {
  if (call.method != "GET") return call.reply(failed(404, "not_found", "no such path"));
  if (shared_.log == nullptr) return call.reply(failed(404, "not_found", "no log is kept"));
  if (what == "/entries") return list_entries(call);
  if (what == "/checkpoint") return show_checkpoint(call);
  if (what == "/inclusion") return prove_entry(call);
  if (what == "/consistency") return prove_growth(call);
  if (what != "/key") return call.reply(failed(404, "not_found", "no such path"));
  const store::LogIdentity& log = *shared_.log;
  call.reply(plain(audit::verifier_key(log.origin, log.key.public_key()) + "\n"));
}

void Admin::list_entries(const Call& call) {
  const auto part = read_log_part(call.query, options_.page, options_.max_page);
  if (!part.ok()) return call.reply(answer_of(part.error()));
  shared_.store.read_log(part->from, part->limit, control_.mailbox(),
                         [reply = call.reply](const Result<store::LogPage>& page) {
                           reply(page.ok() ? answer_of_page(*page) : answer_of(page.error()));
                         });
}

void Admin::show_checkpoint(const Call& call) {
  shared_.store.sign_log(control_.mailbox(), [reply = call.reply](const Result<std::string>& note) {
    reply(note.ok() ? plain(*note) : answer_of(note.error()));
  });
}

void Admin::prove_entry(const Call& call) {
  const auto entry = read_entries(call.query, "entry");
  const auto entries = read_entries(call.query, "entries");
  if (!entry.ok()) return call.reply(answer_of(entry.error()));
  if (!entries.ok()) return call.reply(answer_of(entries.error()));
  shared_.store.prove_entry(
      *entry, *entries, control_.mailbox(),
      [reply = call.reply, entry = *entry,
       entries = *entries](const Result<store::LogProof>& proof) {
        reply(proof.ok() ? answer_of_proof(*proof, "entry", entry, "entries", entries)
                         : answer_of(proof.error()));
      });
}

void Admin::prove_growth(const Call& call) {
  const auto from = read_entries(call.query, "from");
  const auto to = read_entries(call.query, "to");
  if (!from.ok()) return call.reply(answer_of(from.error()));
  if (!to.ok()) return call.reply(answer_of(to.error()));
  shared_.store.prove_growth(
      *from, *to, control_.mailbox(),
      [reply = call.reply, from = *from, to = *to](const Result<store::LogProof>& proof) {
        reply(proof.ok() ? answer_of_proof(*proof, "from", from, "to", to)
                         : answer_of(proof.error()));
      });
}

}  // namespace signet::admin
