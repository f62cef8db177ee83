#include "audit/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "wire/utf8.h"

namespace signet::audit {
namespace {

constexpr std::string_view kEd25519{"\1", 1};                  // the signature type of signed-note
constexpr std::string_view kSignatureStart = "\xe2\x80\x94 ";  // an em dash and a space
constexpr std::size_t kMostOriginBytes = 255;
constexpr std::size_t kKeyHashBytes = 4;

Error malformed(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

std::string key_hash(std::string_view name, const crypto::PublicKey& key) {
  const crypto::Digest32 digest = crypto::sha256({name, "\n", kEd25519, text_of(key.bytes)});
  return std::string(text_of(digest).substr(0, kKeyHashBytes));
}

std::string body_of(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.entries) + "\n" +
         to_base64(checkpoint.root) + "\n";
}

// Takes the first line off; nullopt where no line break is left.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool is_note_text(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  return wire::is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

struct SignatureLine {
  std::string_view name;
  std::string bytes;  // key hash, then the signature
};

Result<SignatureLine> read_signature(std::string_view line) {
  if (!line.starts_with(kSignatureStart)) return malformed("signature line");
  line.remove_prefix(kSignatureStart.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return malformed("name of a signature");
  const std::string_view name = line.substr(0, space);
  if (name.find('+') != std::string_view::npos) return malformed("name of a signature");
  std::optional<std::string> bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= kKeyHashBytes) return malformed("bytes of a signature");
  return SignatureLine{name, *std::move(bytes)};
}

Result<std::vector<SignatureLine>> read_signatures(std::string_view text) {
  std::vector<SignatureLine> lines;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line) return malformed("unfinished line");
    SIGNET_TRY(SignatureLine read, read_signature(*line));
    lines.push_back(std::move(read));
  }
  if (lines.empty()) return malformed("no signature");
  return lines;
}

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || std::to_string(number) != text) return std::nullopt;
  return number;
}

Result<Checkpoint> read_body(std::string_view text) {
  const auto origin = take_line(text);
  const auto entries = take_line(text);
  const auto root = take_line(text);
  if (!origin || !is_origin(*origin)) return malformed("origin");
  const auto number = entries ? number_from(*entries) : std::nullopt;
  if (!number) return malformed("number of entries");
  const auto hash = root ? hash_from_base64(*root) : std::nullopt;
  if (!hash) return malformed("root");
  while (!text.empty()) {
    const auto extension = take_line(text);
    if (!extension || extension->empty()) return malformed("extension");
  }
  return Checkpoint{std::string(*origin), *number, *hash};
}

bool is_signed(std::string_view text, const SignatureLine& line, const crypto::PublicKey& key) {
  crypto::Signature signature;
  if (line.bytes.size() != kKeyHashBytes + signature.size()) return false;
  const ByteView bytes = bytes_of(line.bytes).subspan(kKeyHashBytes);
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return crypto::verify(key, bytes_of(text), signature);
}

}  // namespace

bool is_origin(std::string_view text) {
  return !text.empty() && text.size() <= kMostOriginBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '+'; });
}

std::optional<crypto::MerkleHash> hash_from_base64(std::string_view text) {
  const std::optional<std::string> bytes = from_base64(text);
  crypto::MerkleHash hash;
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  const ByteView view = bytes_of(*bytes);
  std::copy(view.begin(), view.end(), hash.begin());
  return hash;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SecretKey& key) {
  if (!is_origin(checkpoint.origin)) std::abort();  // the note would say something else
  const std::string body = body_of(checkpoint);
  const crypto::Signature signature = key.sign(bytes_of(body));
  const std::string bytes =
      key_hash(checkpoint.origin, key.public_key()) + std::string(text_of(signature));
  return body + "\n" + std::string(kSignatureStart) + checkpoint.origin + " " +
         to_base64(bytes_of(bytes)) + "\n";
}

Result<Checkpoint> open_checkpoint(std::string_view note, const crypto::PublicKey& key) {
  if (note.size() > kMostNoteBytes || !is_note_text(note)) return malformed("text of a note");
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed("no blank line before the signatures");
  const std::string_view text = note.substr(0, blank + 1);
  SIGNET_TRY(const std::vector<SignatureLine> lines, read_signatures(note.substr(blank + 2)));
  SIGNET_TRY(Checkpoint checkpoint, read_body(text));
  const std::string hash = key_hash(checkpoint.origin, key);
  bool shown = false;
  for (const SignatureLine& line : lines) {
    if (line.name != checkpoint.origin || !line.bytes.starts_with(hash)) continue;
    if (!is_signed(text, line, key)) return Error{ErrorCode::kUnauthorized, "signature is false"};
    shown = true;
  }
  if (!shown) return Error{ErrorCode::kUnauthorized, "no signature of this key"};
  return checkpoint;
}

std::string verifier_key(std::string_view origin, const crypto::PublicKey& key) {
  const std::string bytes = std::string(kEd25519) + std::string(text_of(key.bytes));
  return std::string(origin) + "+" + to_hex(bytes_of(key_hash(origin, key))) + "+" +
         to_base64(bytes_of(bytes));
}

Result<Verifier> parse_verifier_key(std::string_view text) {
  const std::size_t plus = text.find('+');
  Verifier verifier{std::string(text.substr(0, plus)), {}};
  if (plus == std::string_view::npos || !is_origin(verifier.origin)) return malformed("origin");
  const std::size_t second = text.find('+', plus + 1);
  if (second == std::string_view::npos) return malformed("key");
  const std::optional<std::string> bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != kEd25519.size() + verifier.key.bytes.size()) {
    return malformed("key");
  }
  const ByteView key = bytes_of(*bytes).subspan(kEd25519.size());
  std::copy(key.begin(), key.end(), verifier.key.bytes.begin());
  // Whatever else could be another text for the same: a wrong hash, capital hex, another type.
  if (verifier_key(verifier.origin, verifier.key) != text) return malformed("hash of the key");
  return verifier;
}

}  // namespace signet::audit
