#include "membership/source_secret.h"

#include <algorithm>

#include "crypto/wipe.h"
#include "routing/address.h"

namespace signet::membership {
namespace {

// What documents publish, and what a hurried hand types, in lower case without marks. A longer text
// that repeats one of them is found by the unit that it repeats.
constexpr std::string_view kPublished[] = {
    "mirrorlogos",  // PulseMesh prints mirror:logos:2025; the years are cut off
    "mirrorlogossecret",
    "microbridgejwtsecretdev",  // Hub prints these five with figures behind them
    "jwtsecret",
    "hmacsecret",
    "enginesharedsecret",
    "enginesharedsecretmno",
    "testsecret",
    "testsecretkey",
    "secret",
    "secretkey",
    "sharedsecret",
    "supersecret",
    "supersecretkey",
    "mysecret",
    "mysecretkey",
    "mysupersecretkey",
    "verysecret",
    "verysecretkey",
    "topsecret",
    "topsecretkey",
    "yoursecret",
    "yoursecrethere",
    "yoursecretkey",
    "yoursecretkeyhere",
    "yoursharedsecret",
    "yoursharedsecrethere",
    "yourbitsecret",  // your-256-bit-secret, which every JWT page shows
    "asecretkey",
    "thisisasecret",
    "thisisasecretkey",
    "thisisnotasecret",
    "password",
    "passwordpassword",
    "mypassword",
    "changeme",
    "changemeplease",
    "pleasechangeme",
    "changemeinproduction",
    "changethis",
    "changethissecret",
    "replaceme",
    "replacewithsecret",
    "insecuresecret",
    "developmentsecret",
    "devsecret",
    "devsecretkey",
    "examplesecret",
    "examplesecretkey",
    "defaultsecret",
    "defaultsecretkey",
    "pulsemesh",
    "pulsemeshsecret",
    "pulsemeshsharedsecret",
    "sovereignmesh",
    "correcthorsebatterystaple",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
};

// A shorter piece that makes up a whole secret by repetition is no secret.
constexpr std::size_t kRepeatedPiece = 8;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

// The letters alone, in lower case: years, counts and marks make no published text another one.
std::string letters_of(std::string_view text) {
  std::string letters;
  letters.reserve(text.size());
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (is_letter(lower)) letters.push_back(lower);
  }
  return letters;
}

// The length of the shortest piece that `text` is a repetition of; the last one may be cut.
std::size_t repeated_piece(std::string_view text) {
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return piece;
  }
  return text.size();
}

// A date or a count behind a published text: more figures than these may well have been drawn.
bool has_few_figures(std::string_view text) {
  constexpr std::ptrdiff_t kMostFigures = 9;
  return std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) <=
         kMostFigures;
}

bool is_published(std::string_view letters) {
  const std::string_view unit = letters.substr(0, repeated_piece(letters));
  return std::any_of(std::begin(kPublished), std::end(kPublished),
                     [&](std::string_view known) { return known == letters || known == unit; });
}

// So few kinds of bytes that no draw of this length would have so few.
bool has_few_bytes(std::string_view text) {
  bool seen[256] = {};
  for (const char c : text) seen[static_cast<unsigned char>(c)] = true;
  constexpr std::ptrdiff_t kLeastKinds = 6;
  return std::count(std::begin(seen), std::end(seen), true) < kLeastKinds;
}

}  // namespace

bool is_source(std::string_view name) { return routing::is_name(name); }

bool is_sample_secret(std::string_view text) {
  std::string letters = letters_of(text);
  const crypto::WipedAtEnd wiped(letters);
  return repeated_piece(text) < kRepeatedPiece || has_few_bytes(text) ||
         text.starts_with("0123456789") || (has_few_figures(text) && is_published(letters));
}

bool is_secret(std::string_view text, std::size_t least_bytes) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  return text.size() >= least_bytes && text.size() <= kMostSecretBytes &&
         std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace signet::membership
