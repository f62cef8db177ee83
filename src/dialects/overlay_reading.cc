// What a submission says: a table of its members. A member that is null says what an absent one
// does.
#include <algorithm>

#include "dialects/overlay.h"
#include "dialects/overlay_members.h"
#include "overlay/submission_check.h"
#include "trust/secret_hello.h"
#include "wire/canonical_json.h"
#include "wire/json.h"

namespace signet::dialects {
namespace {

using overlay::Submission;
using wire::JsonKind;
using wire::JsonValue;

constexpr WallTime kLastTime{253'402'300'799'999};

using Refused = std::optional<SubmissionRefused>;

// What is told begins the same for each code.
SubmissionRefused refused_for(SubmissionRefusal code, std::string_view what) {
  return {code, std::string(overlay::sentence_of(code)).append(": ").append(what)};
}

SubmissionRefused malformed(std::string_view what) {
  return refused_for(SubmissionRefusal::kMalformed, what);
}

Refused read_node(JsonValue value, Submission& out) {
  const auto name = value.string();
  if (!name || !overlay::is_node_name(*name)) {
    return malformed("node_id: 1 to 64 of letters, digits and . - _, no dot first");
  }
  out.node = *name;
  return std::nullopt;
}

Refused read_timestamp(JsonValue value, Submission& out) {
  const auto at = time_of(value);
  if (!at) return malformed("timestamp: a time of RFC 3339, from 1970 to 9999");
  out.timestamp = *at;
  return std::nullopt;
}

Refused read_suite(JsonValue value, Submission& out) {
  const auto suite = value.string();
  if (!suite || !is_printable(*suite, overlay::kMaxSuiteName)) {
    return malformed("suite_version: 1 to 64 printable characters of ASCII");
  }
  out.suite = *suite;
  return std::nullopt;
}

Refused read_notes(JsonValue value, Submission& out) {
  const auto notes = value.string();
  if (!notes || notes->size() > overlay::kMaxNotes) {
    return malformed("notes: a text of at most 1024 bytes");
  }
  out.notes = *notes;
  return std::nullopt;
}

Refused read_sequence(JsonValue value, Submission& out) {
  const auto sequence = value.integer();
  if (!sequence || *sequence < 1 || *sequence > static_cast<std::int64_t>(kMaxSequence)) {
    return malformed("sequence: a whole number from 1 to 2^53, in plain digits");
  }
  out.sequence = static_cast<std::uint64_t>(*sequence);
  return std::nullopt;
}

Refused read_nonce(JsonValue value, Submission& out) {
  const auto nonce = value.string();
  if (!nonce || !overlay::is_node_nonce(*nonce)) {
    return malformed("nonce: 1 to 64 printable characters of ASCII, no space");
  }
  out.nonce = *nonce;
  return std::nullopt;
}

Refused read_fresh_key(JsonValue value, Submission& out) {
  out.fresh_key = key_of(value);
  if (!out.fresh_key) return malformed("epk: 32 bytes in base64, with padding");
  return std::nullopt;
}

// What is no number at all is malformed; a number that is no score is out of range.
Refused read_score(std::string_view name, JsonValue value, Submission& out) {
  if (!is_printable(name, kMaxScoreName)) {
    return malformed("scores: a name has 1 to 64 printable characters of ASCII");
  }
  if (!value.is(JsonKind::kNumber)) {
    return malformed("scores." + std::string(name) + ": a number");
  }
  const auto number = value.number();
  const auto score = number ? overlay::Score::from(*number) : std::nullopt;
  if (!score) {
    return refused_for(SubmissionRefusal::kOutOfRange,
                       "scores." + std::string(name) + " must be a finite number from 0 to 1");
  }
  out.scores.emplace(name, *score);
  return std::nullopt;
}

Refused read_scores(JsonValue value, Submission& out) {
  if (!value.is(JsonKind::kObject)) return malformed("scores: an object of numbers");
  if (value.size() > overlay::kMaxScores) return malformed("scores: at most 64");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_given(value[i])) continue;
    if (auto refused = read_score(value.key(i), value[i], out)) return refused;
  }
  if (out.scores.contains("overall")) return std::nullopt;
  return refused_for(SubmissionRefusal::kOutOfRange, "scores.overall is missing");
}

// A text of another form is nobody's signature, and no fault of the body.
Refused read_signature(JsonValue value, Submission& out) {
  const auto text = value.string();
  if (!text) return malformed("signature: a text of 128 hex digits");
  out.signature = signature_of(*text);
  if (out.signature) return std::nullopt;
  return refused_for(SubmissionRefusal::kBadSignature, "it must be 128 hex digits");
}

struct SubmissionMember {
  std::string_view name;
  bool is_required;
  Refused (*read)(JsonValue value, Submission& out);
};
// Faults of form are named before those of what is said.
constexpr SubmissionMember kSubmissionMembers[] = {
    {"node_id", true, read_node},         {"timestamp", true, read_timestamp},
    {"suite_version", true, read_suite},  {"notes", false, read_notes},
    {"sequence", false, read_sequence},   {"nonce", false, read_nonce},
    {"epk", false, read_fresh_key},       {"scores", true, read_scores},
    {"signature", false, read_signature},
};

Refused read_members(JsonValue root, Submission& out) {
  for (const SubmissionMember& member : kSubmissionMembers) {
    const JsonValue value = root[member.name];
    if (is_given(value)) {
      if (auto refused = member.read(value, out)) return refused;
    } else if (member.is_required) {
      return malformed(std::string(member.name) + " is missing");
    }
  }
  return std::nullopt;
}

// JSON has no NaN and no infinity, but Python's writer puts them as bare words. Such a body is told
// what is wrong with it: each word stands as a number that no double holds, which nothing takes.
std::string with_words_as_numbers(std::string_view body) {
  constexpr std::string_view kWords[] = {"NaN", "Infinity"};
  constexpr std::string_view kBeyond = "1e999";
  std::string out;
  bool is_in_text = false;
  for (std::size_t at = 0; at < body.size();) {
    const auto* const word =
        std::find_if(std::begin(kWords), std::end(kWords),
                     [&](std::string_view each) { return body.substr(at).starts_with(each); });
    if (!is_in_text && word != std::end(kWords)) {
      out.append(kBeyond);
      at += word->size();
      continue;
    }
    if (body[at] == '"') is_in_text = !is_in_text;
    const std::size_t taken = is_in_text && body[at] == '\\' ? 2 : 1;
    out.append(body.substr(at, taken));
    at += taken;
  }
  return out;
}

Status parse_submission(wire::JsonDocument& document, std::string_view body) {
  Status parsed = document.parse(body, kOverlayLimits);
  if (parsed.ok() || !document.parse(with_words_as_numbers(body), kOverlayLimits).ok())
    return parsed;
  return Done{};
}

Refused read_mesh(JsonValue root, std::string_view mesh) {
  const JsonValue named = root["mesh_id"];
  if (!is_given(named)) return std::nullopt;
  if (!named.is(JsonKind::kString)) return malformed("mesh_id: a text");
  if (named.string() == mesh) return std::nullopt;
  return refused_for(SubmissionRefusal::kNodeMismatch, "mesh_id names another mesh");
}

}  // namespace

std::optional<WallTime> read_overlay_time(std::string_view text) {
  const auto at = trust::parse_iso8601(text);
  return at && *at >= WallTime{} && *at <= kLastTime ? at : std::nullopt;
}

SubmissionRead read_submission(std::string_view body, std::string_view mesh) {
  if (body.size() > kMaxSubmissionBytes) return malformed("body: longer than 16384 bytes");
  wire::JsonDocument document;
  const Status parsed = parse_submission(document, body);
  if (!parsed.ok()) return malformed("body: " + parsed.error().detail);
  const JsonValue root = document.root();
  if (!root.is(JsonKind::kObject) || root.size() > kMaxSubmissionMembers) {
    return malformed("body: an object of at most 32 members");
  }
  Submission submission;
  if (auto refused = read_members(root, submission)) return *std::move(refused);
  if (auto refused = read_mesh(root, mesh)) return *std::move(refused);
  const auto claim = wire::canonical_claim(root, {"signature"});
  if (!claim.ok()) return malformed("body: a number beyond a double");
  submission.signed_text = std::string(kSubmissionDomain) + *claim;
  return submission;
}

int status_of(SubmissionRefusal refusal) {
  switch (refusal) {
    case SubmissionRefusal::kMalformed:
      return 422;
    case SubmissionRefusal::kRateLimited:
      return 429;
    case SubmissionRefusal::kUnavailable:
      return 503;
    case SubmissionRefusal::kNodeMismatch:
    case SubmissionRefusal::kOutOfRange:
    case SubmissionRefusal::kStale:
    case SubmissionRefusal::kFuture:
    case SubmissionRefusal::kUnknownNode:
    case SubmissionRefusal::kUnsigned:
    case SubmissionRefusal::kBadSignature:
    case SubmissionRefusal::kReplayed:
    case SubmissionRefusal::kRevoked:
    case SubmissionRefusal::kTooManyNodes:
      return 400;
  }
  return 400;
}

}  // namespace signet::dialects
