#include "signet/node/kept_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <utility>

#include "base/encoding.h"
#include "base/private_file.h"
#include "crypto/fresh_box.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret_base64.h"
#include "crypto/wipe.h"
#include "overlay/ipv4.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"

namespace signet::node {
namespace {

using cli::failure;

constexpr std::string_view kStateHead = "signet-node-state 1\n";
constexpr std::string_view kSumName = "sum";
constexpr std::string_view kSumDomain = "signet/node-state/v1";
constexpr std::size_t kStateKeyBytes = 32;
constexpr int kMaxBits = 32;
constexpr std::uint32_t kMaxPort = 65'535;

// ---- writing: once to count, and once into memory of that size, so that no secret is moved

class CountedLines {
 public:
  void add(std::string_view text) { size_ += text.size(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class WrittenLines {
 public:
  explicit WrittenLines(std::size_t size) : text_(size) {}
  void add(std::string_view text) {
    if (text.size() > text_.size() - size_) std::abort();
    std::copy(text.begin(), text.end(), text_.data() + size_);
    size_ += text.size();
  }
  std::string_view so_far() const { return text_.text().substr(0, size_); }
  SecretBytes take() { return std::move(text_); }

 private:
  SecretBytes text_;
  std::size_t size_ = 0;
};

template <class Lines>
void add_line(Lines& lines, std::string_view name, std::string_view value) {
  lines.add(name);
  lines.add(" ");
  lines.add(value);
  lines.add("\n");
}

template <class Lines>
void add_number(Lines& lines, std::string_view name, std::uint64_t number) {
  add_line(lines, name, std::to_string(number));
}

template <class Lines>
void add_secret(Lines& lines, std::string_view name, const SecretBytes& secret) {
  if (!secret.empty()) add_line(lines, name, crypto::to_secret_base64(secret.bytes()).text());
}

template <class Lines>
void add_keys(Lines& lines, const KeptState& state) {
  const overlay::KeyOffer& offer = state.offer;
  if (offer.current != 0) add_number(lines, "current", offer.current);
  if (offer.next) add_number(lines, "next", *offer.next);
  if (offer.moment) add_line(lines, "moment", std::to_string(offer.moment->ms));
  if (offer.previous) add_number(lines, "previous", *offer.previous);
  if (state.in_use != 0) add_number(lines, "in_use", state.in_use);
  for (const KeptText& each : state.texts) {
    lines.add("text ");
    lines.add(std::to_string(each.epoch));
    lines.add(" ");
    lines.add(crypto::to_secret_base64(each.text.bytes()).text());
    lines.add("\n");
  }
}

template <class Lines>
void add_state(Lines& lines, const KeptState& state) {
  lines.add(kStateHead);
  add_line(lines, "node", state.node);
  add_line(lines, "mesh", to_base64(bytes_of(state.mesh)));
  add_secret(lines, "wireguard", state.wireguard);
  add_secret(lines, "pending", state.pending);
  if (!state.endpoint.empty()) add_line(lines, "endpoint", state.endpoint);
  add_number(lines, "listen_port", state.listen_port);
  if (state.address != 0) {
    add_line(lines, "address", overlay::ipv4_text(state.address));
    add_number(lines, "bits", static_cast<std::uint64_t>(state.bits));
  }
  add_number(lines, "sequence", state.sequence);
  add_keys(lines, state);
  add_number(lines, "epoch", state.epoch);
  if (state.allowed) add_line(lines, "allowed", *state.allowed ? "yes" : "no");
  if (!state.reason.empty()) add_line(lines, "reason", to_base64(bytes_of(state.reason)));
  if (state.revocations.serial != 0) add_number(lines, "revocations", state.revocations.serial);
  if (state.revocations.signer)
    add_line(lines, "signer", crypto::to_hex(*state.revocations.signer));
  for (const overlay::WireGuardKey& key : state.revocations.keys) {
    add_line(lines, "revoked", to_base64(key));
  }
}

std::string sum_line(std::string_view text) {
  const auto sum = crypto::digest16(kSumDomain, {text});
  return std::string(kSumName) + " " + to_hex(sum) + "\n";
}

// ---- reading: a table of lines

using Taken = bool;  // false: the value is none of that line's

template <class Number>
Taken take_number(std::string_view text, Number& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && std::to_string(out) == text;
}

Taken take_epoch(std::string_view text, std::optional<std::uint64_t>& out) {
  std::uint64_t epoch = 0;
  if (!take_number(text, epoch) || epoch == 0) return false;
  out = epoch;
  return true;
}

Taken take_key(std::string_view text, SecretBytes& out) {
  auto bytes = crypto::from_secret_base64(text);
  if (!bytes || bytes->size() != kStateKeyBytes) return false;
  out = *std::move(bytes);
  return true;
}

Taken take_base64(std::string_view text, std::string& out) {
  auto bytes = from_base64(text);
  if (!bytes) return false;
  out = *std::move(bytes);
  return true;
}

Taken take_text(std::string_view value, KeptState& out) {
  const auto space = value.find(' ');
  if (space == std::string_view::npos || out.texts.size() == kMaxTexts) return false;
  KeptText text;
  auto bytes = crypto::from_secret_base64(value.substr(space + 1));
  if (!take_number(value.substr(0, space), text.epoch) || text.epoch == 0 || !bytes) return false;
  const bool twice = std::any_of(out.texts.begin(), out.texts.end(),
                                 [&](const KeptText& each) { return each.epoch == text.epoch; });
  if (twice) return false;
  text.text = *std::move(bytes);
  out.texts.push_back(std::move(text));
  return true;
}

Taken take_revoked(std::string_view value, KeptState& out) {
  overlay::WireGuardKey key{};
  const auto bytes = from_base64(value);
  if (!bytes || bytes->size() != key.size()) return false;
  std::memcpy(key.data(), bytes->data(), key.size());
  return out.revocations.keys.insert(key).second;
}

Taken take_allowed(std::string_view value, KeptState& out) {
  if (value != "yes" && value != "no") return false;
  out.allowed = value == "yes";
  return true;
}

Taken take_address(std::string_view value, KeptState& out) {
  const auto address = overlay::ipv4_from(value);
  out.address = address.value_or(0);
  return out.address != 0;
}

Taken take_moment(std::string_view value, KeptState& out) {
  WallTime at;
  if (!take_number(value, at.ms)) return false;
  out.offer.moment = at;
  return true;
}

Taken take_port(std::string_view value, KeptState& out) {
  const auto port = overlay::decimal_from(value, kMaxPort);
  out.listen_port = static_cast<std::uint16_t>(port.value_or(0));
  return out.listen_port != 0;
}

Taken take_signer(std::string_view value, KeptState& out) {
  out.revocations.signer = crypto::public_key_from_hex(value);
  return out.revocations.signer.has_value();
}

struct StateLine {
  std::string_view name;
  bool repeats;
  Taken (*take)(std::string_view value, KeptState& out);
};
// clang-format off
constexpr StateLine kStateLines[] = {
    {"node", false, [](std::string_view v, KeptState& s) { s.node = v; return overlay::is_node_name(v); }},
    {"mesh", false, [](std::string_view v, KeptState& s) { return take_base64(v, s.mesh); }},
    {"wireguard", false, [](std::string_view v, KeptState& s) { return take_key(v, s.wireguard); }},
    {"pending", false, [](std::string_view v, KeptState& s) { return take_key(v, s.pending); }},
    {"endpoint", false, [](std::string_view v, KeptState& s) { s.endpoint = v; return !v.empty(); }},
    {"listen_port", false, take_port},
    {"address", false, take_address},
    {"bits", false, [](std::string_view v, KeptState& s) { return take_number(v, s.bits) && s.bits > 0 && s.bits <= kMaxBits; }},
    {"sequence", false, [](std::string_view v, KeptState& s) { return take_number(v, s.sequence); }},
    {"current", false, [](std::string_view v, KeptState& s) { return take_number(v, s.offer.current); }},
    {"next", false, [](std::string_view v, KeptState& s) { return take_epoch(v, s.offer.next); }},
    {"moment", false, take_moment},
    {"previous", false, [](std::string_view v, KeptState& s) { return take_epoch(v, s.offer.previous); }},
    {"in_use", false, [](std::string_view v, KeptState& s) { return take_number(v, s.in_use); }},
    {"text", true, take_text},
    {"epoch", false, [](std::string_view v, KeptState& s) { return take_number(v, s.epoch); }},
    {"allowed", false, take_allowed},
    {"reason", false, [](std::string_view v, KeptState& s) { return take_base64(v, s.reason); }},
    {"revocations", false, [](std::string_view v, KeptState& s) { return take_number(v, s.revocations.serial); }},
    {"signer", false, take_signer},
    {"revoked", true, take_revoked},
};
// clang-format on

Error state_malformed(std::string_view what) { return {ErrorCode::kMalformed, std::string(what)}; }

Status take_state_line(std::string_view line, std::set<std::string_view>& seen, KeptState& out) {
  const auto space = line.find(' ');
  const std::string_view name = line.substr(0, space);
  const auto* const known = std::find_if(std::begin(kStateLines), std::end(kStateLines),
                                         [&](const StateLine& each) { return each.name == name; });
  if (space == std::string_view::npos || known == std::end(kStateLines)) {
    return state_malformed("a line that is none");
  }
  if (!seen.insert(known->name).second && !known->repeats) {
    return state_malformed(std::string(known->name) + " twice");
  }
  if (known->take(line.substr(space + 1), out)) return Done{};
  return state_malformed(known->name);
}

Status take_state_lines(std::string_view text, KeptState& out) {
  std::set<std::string_view> seen;
  while (!text.empty()) {
    const auto end = text.find('\n');
    SIGNET_TRY([[maybe_unused]] const Done taken, take_state_line(text.substr(0, end), seen, out));
    text.remove_prefix(end + 1);
  }
  const bool whole = !out.node.empty() && !out.mesh.empty() && !out.wireguard.empty();
  return whole ? Status(Done{}) : Status(state_malformed("node, mesh or wireguard is missing"));
}

}  // namespace

SecretBytes copy_of(const SecretBytes& secret) {
  return secret.empty() ? SecretBytes() : SecretBytes(secret.text());
}

KeptState copy_of(const KeptState& state) {
  KeptState copy;
  copy.node = state.node;
  copy.mesh = state.mesh;
  copy.wireguard = copy_of(state.wireguard);
  copy.pending = copy_of(state.pending);
  copy.endpoint = state.endpoint;
  copy.sequence = state.sequence;
  copy.offer = state.offer;
  copy.in_use = state.in_use;
  for (const KeptText& each : state.texts) copy.texts.push_back({each.epoch, copy_of(each.text)});
  copy.epoch = state.epoch;
  copy.reason = state.reason;
  copy.revocations = state.revocations;
  copy.address = state.address;
  copy.bits = state.bits;
  copy.listen_port = state.listen_port;
  copy.allowed = state.allowed;
  return copy;
}

SecretBytes new_wireguard_secret() {
  SecretBytes secret(kStateKeyBytes);
  crypto::random_bytes({secret.data(), secret.size()});
  // As `wg genkey` writes one, so that what a tool shows is what is kept (RFC 7748, section 5).
  secret.data()[0] &= 0xF8U;
  secret.data()[kStateKeyBytes - 1] &= 0x7FU;
  secret.data()[kStateKeyBytes - 1] |= 0x40U;
  return secret;
}

overlay::WireGuardKey wireguard_key_of(const SecretBytes& secret) {
  return crypto::FreshKeyPair::from_bytes(secret.bytes()).public_key();
}

KeptState new_state(const std::string& node, const std::string& mesh) {
  KeptState state;
  state.node = node;
  state.mesh = mesh;
  state.wireguard = new_wireguard_secret();
  return state;
}

SecretBytes write_kept(const KeptState& state) {
  CountedLines counted;
  add_state(counted, state);
  WrittenLines written(counted.size() + sum_line("").size());
  add_state(written, state);
  written.add(sum_line(written.so_far()));
  return written.take();
}

Result<KeptState> read_kept(std::string_view text) {
  const std::size_t sum_size = sum_line("").size();
  if (!text.starts_with(kStateHead)) return state_malformed("no state of a node, or a newer one");
  if (text.size() < kStateHead.size() + sum_size) return state_malformed("sum");
  const std::string_view lines = text.substr(0, text.size() - sum_size);
  if (text.substr(lines.size()) != sum_line(lines) || !lines.ends_with('\n')) {
    return state_malformed("sum");
  }
  KeptState state;
  SIGNET_TRY([[maybe_unused]] const Done taken,
             take_state_lines(lines.substr(kStateHead.size()), state));
  return state;
}

std::string kept_file(const cli::Paths& paths, const cli::Profile& profile, std::string_view node) {
  constexpr std::string_view kDatabase = ".db";
  std::string path = cli::state_file(paths, profile);
  if (path.ends_with(kDatabase)) path.resize(path.size() - kDatabase.size());
  return path + "." + std::string(node) + ".node";
}

Result<KeptState> look_at_kept(const std::string& path) {
  std::string text;
  const crypto::WipedAtEnd wiped(text);
  const Status read = read_private_file(path, kMaxStateBytes, text);
  if (!read.ok() && read.error().code == ErrorCode::kNotFound) {
    return failure(ErrorCode::kNotFound, "no_such_node", "no node of this name is kept here",
                   "Make it: signet node register NAME.");
  }
  if (!read.ok()) {
    return failure(read.error().code, "node_state_unread", read.error().detail,
                   "It must be a file of yours alone: chmod 600.");
  }
  auto state = read_kept(text);
  if (state.ok()) return state;
  return failure(ErrorCode::kMalformed, "node_state_broken",
                 path + " can't be read: " + state.error().detail,
                 "Move it away and register again; the WireGuard key is a new one then.");
}

Result<std::unique_ptr<KeptFile>> KeptFile::take(const std::string& path) {
  SIGNET_TRY([[maybe_unused]] const Done made,
             cli::make_private_folder(path.substr(0, path.rfind('/'))));
  const std::string lock = path + ".lock";
  const int file = open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    return failure(ErrorCode::kUnavailable, "disk",
                   lock + " can't be written: " + std::strerror(errno));
  }
  std::unique_ptr<KeptFile> taken(new KeptFile(path, file));
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return taken;
  return failure(ErrorCode::kConflict, "node_busy",
                 "another process works for this node (signet node run?)",
                 "A node has one agent: end the other one first, for this.");
}

KeptFile::~KeptFile() { close(lock_); }

Status CountOnlyStore::write(const KeptState& state) {
  if (state.sequence == kept_.sequence) return Done{};
  KeptState next = copy_of(kept_);
  next.sequence = state.sequence;
  SIGNET_TRY([[maybe_unused]] const Done written, below_.write(next));
  kept_ = std::move(next);
  return Done{};
}

Status KeptFile::write(const KeptState& state) {
  const SecretBytes text = write_kept(state);
  return cli::write_private_file(path_, text.text());
}

}  // namespace signet::node
