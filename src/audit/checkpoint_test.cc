#include "audit/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace signet::audit {
namespace {

crypto::SecretKey key_of(unsigned char seed) {
  return crypto::SecretKey::from_seed(std::array<unsigned char, 32>{seed});
}

Checkpoint some_checkpoint() { return {"signet.example/log", 12'345, crypto::merkle_leaf({})}; }

TEST(Checkpoint, OpensWhatWasSigned) {
  const crypto::SecretKey key = key_of(1);
  for (const std::uint64_t entries :
       {std::uint64_t{0}, std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()}) {
    Checkpoint checkpoint = some_checkpoint();
    checkpoint.entries = entries;
    const Result<Checkpoint> opened =
        open_checkpoint(sign_checkpoint(checkpoint, key), key.public_key());
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    EXPECT_EQ(*opened, checkpoint);
  }
}

TEST(Checkpoint, RefusesAnotherKeysNote) {
  const std::string note = sign_checkpoint(some_checkpoint(), key_of(1));
  const Result<Checkpoint> opened = open_checkpoint(note, key_of(2).public_key());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnauthorized);
}

TEST(Checkpoint, RefusesEveryChangedMissingOrDoubledByte) {
  const crypto::SecretKey key = key_of(1);
  const std::string note = sign_checkpoint(some_checkpoint(), key);
  const auto opens = [&key](const std::string& text) {
    return open_checkpoint(text, key.public_key()).ok();
  };
  ASSERT_TRUE(opens(note));
  for (std::size_t at = 0; at < note.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = note;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      EXPECT_FALSE(opens(changed)) << at << " " << bit;
    }
    std::string shorter = note;
    shorter.erase(at, 1);
    EXPECT_FALSE(opens(shorter)) << at;
    std::string longer = note;
    longer.insert(at, 1, note[at]);
    EXPECT_FALSE(opens(longer)) << at;
    EXPECT_FALSE(opens(note.substr(0, at))) << at;
  }
}

TEST(Checkpoint, HasABoundForItsText) {
  const crypto::SecretKey key = key_of(1);
  std::string note = sign_checkpoint(some_checkpoint(), key);
  const std::string line = "\xe2\x80\x94 witness " + std::string(100, 'A') + "\n";
  while (note.size() + line.size() <= 65'536) note += line;
  EXPECT_TRUE(open_checkpoint(note, key.public_key()).ok());
  EXPECT_FALSE(open_checkpoint(note + line, key.public_key()).ok());
}

TEST(Checkpoint, NamesLogsThatANoteCanName) {
  for (const std::string& good : {std::string("a"), std::string("signet.example/log"),
                                  std::string(255, 'a'), std::string("~!")}) {
    EXPECT_TRUE(is_origin(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(256, 'a'), std::string("a b"), std::string("a+b"),
        std::string("a\nb"), std::string("a\tb"), std::string("\x7f"), std::string("caf\xc3\xa9"),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_origin(bad)) << bad;
  }
  Checkpoint nameless = some_checkpoint();
  nameless.origin = "two words";
  EXPECT_DEATH(sign_checkpoint(nameless, key_of(1)), "");
}

TEST(VerifierKey, ReadsBackAndNothingElseDoes) {
  const std::string text = verifier_key("signet.example/log", key_of(1).public_key());
  const Result<Verifier> read = parse_verifier_key(text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, (Verifier{"signet.example/log", key_of(1).public_key()}));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      EXPECT_FALSE(parse_verifier_key(changed).ok()) << changed;
    }
    EXPECT_FALSE(parse_verifier_key(text.substr(0, at)).ok()) << at;
  }
  for (const std::string& bad : {text + "\n", text + "=", " " + text, std::string("+"),
                                 std::string("++"), std::string("a+00000000+"), std::string("a")}) {
    EXPECT_FALSE(parse_verifier_key(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace signet::audit
