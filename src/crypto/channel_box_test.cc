#include "crypto/channel_box.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <set>
#include <type_traits>
#include <vector>

#include "crypto/fields.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

constexpr std::size_t kHead = 4 + 16 + 64;

const SecretKey& ada() {
  static const SecretKey key = SecretKey::from_seed({1, 2, 3});
  return key;
}
const SecretKey& bob() {
  static const SecretKey key = SecretKey::from_seed({4, 5, 6});
  return key;
}
ChannelScope ops() { return {"mesh-1", "#ops", ada().public_key()}; }

ChannelNonce nonce_of(unsigned char fill) {
  ChannelNonce nonce;
  nonce.fill(fill);
  return nonce;
}

const ChannelKeyBytes kBytes{9, 9, 9};
ChannelKey ops_key() { return ChannelKey::from_bytes(kBytes, ops()); }

std::string sealed(std::string_view text) {
  return seal_channel_body(ada(), ops_key(), "mesh-1", "#ops", text, nonce_of(7));
}

// What a receiver does: the signature first, then the key.
std::optional<std::string> received(std::string_view body, const ChannelScope& scope,
                                    const ChannelNonce& nonce = nonce_of(7)) {
  const auto read = ChannelBody::read(body);
  if (!read || !read->is_signed(scope, nonce)) return std::nullopt;
  return read->open(ops_key(), scope, nonce);
}

TEST(ChannelBody, OpensForItsPlaceAndSender) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 63U, 64U, 65U, 40'000U}) {
    const std::string text(size, 'x');
    const std::string body = sealed(text);
    EXPECT_EQ(body.size(), kHead + size + 16);
    EXPECT_TRUE(has_channel_magic(body));
    EXPECT_EQ(received(body, ops()), text);
    EXPECT_EQ(body.find("xxxx"), body.npos);
  }
}

TEST(ChannelBody, ShowsWhichKeyItNeeds) {
  const auto body = sealed("text");
  const auto read = ChannelBody::read(body);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key_id(), ops_key().id());
}

TEST(ChannelBody, IsGoodNowhereElse) {
  const std::string body = sealed("text");
  const ChannelScope ours = ops();
  // clang-format off
  const struct { const char* name; ChannelScope scope; ChannelNonce nonce; } rows[] = {
      {"another mesh", {"mesh-2", ours.target, ours.sender}, nonce_of(7)},
      {"another channel", {ours.mesh_id, "#dev", ours.sender}, nonce_of(7)},
      {"everybody", {ours.mesh_id, "*", ours.sender}, nonce_of(7)},
      {"a tag of that name", {ours.mesh_id, "tag:ops", ours.sender}, nonce_of(7)},
      {"a border between mesh and target moved", {"mesh-1#", "ops", ours.sender}, nonce_of(7)},
      {"another sender", {ours.mesh_id, ours.target, bob().public_key()}, nonce_of(7)},
      {"another nonce", ours, nonce_of(8)},
      {"no mesh", {"", ours.target, ours.sender}, nonce_of(7)},
      {"no target", {ours.mesh_id, "", ours.sender}, nonce_of(7)},
  };
  // clang-format on
  const auto read = ChannelBody::read(body);
  ASSERT_TRUE(read && read->is_signed(ours, nonce_of(7)));
  for (const auto& row : rows) {
    EXPECT_FALSE(read->is_signed(row.scope, row.nonce)) << row.name;
    // The tag holds by itself, without the signature.
    EXPECT_EQ(read->open(ops_key(), row.scope, row.nonce), std::nullopt) << row.name;
  }
}

TEST(ChannelBody, OpensWithNoBitChanged) {
  const std::string body = sealed("text");
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    std::string flipped = body;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(received(flipped, ops()), std::nullopt) << bit;
  }
}

TEST(ChannelBody, OpensAtNoOtherLength) {
  const std::string body = sealed("a text that is long enough to be cut");
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string cut = body.substr(0, size);
    ASSERT_EQ(received(cut, ops()), std::nullopt) << size;
    ASSERT_EQ(ChannelBody::read(cut).has_value(), size >= kHead + 16) << size;
  }
  EXPECT_EQ(received(body + '\0', ops()), std::nullopt);
}

// Bob has the key of Ada's channel: he can seal under it, and can't say that it was Ada.
TEST(ChannelBody, IsNotForgedByAMemberThatHasTheKey) {
  const std::string forged =
      seal_channel_body(bob(), ops_key(), "mesh-1", "#ops", "text", nonce_of(7));
  const auto read = ChannelBody::read(forged);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->is_signed(ops(), nonce_of(7)));
  // Nor can he put his name to what she wrote: the key is hers, and so is the tag.
  const std::string hers = sealed("text");
  std::string text = joined_fields(
      "signet/channel/v1", {"mesh-1", "#ops", text_of(bob().public_key().bytes),
                            text_of(ops_key().id()), text_of(nonce_of(7)), hers.substr(kHead)});
  const std::string stolen =
      hers.substr(0, 20) + std::string(text_of(bob().sign(bytes_of(text)))) + hers.substr(kHead);
  const ChannelScope as_bob{"mesh-1", "#ops", bob().public_key()};
  const auto claimed = ChannelBody::read(stolen);
  ASSERT_TRUE(claimed && claimed->is_signed(as_bob, nonce_of(7)));
  EXPECT_EQ(claimed->open(ops_key(), as_bob, nonce_of(7)), std::nullopt);
}

TEST(ChannelBody, OpensUnderItsOwnKeyOnly) {
  const std::string body = sealed("text");
  const auto read = ChannelBody::read(body);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->open(ChannelKey::generate(ops()), ops(), nonce_of(7)), std::nullopt);
  // The same 32 bytes as another sender's key are another key.
  const ChannelScope as_bob{"mesh-1", "#ops", bob().public_key()};
  EXPECT_EQ(read->open(ChannelKey::from_bytes(kBytes, as_bob), ops(), nonce_of(7)), std::nullopt);
}

TEST(ChannelKey, HasAnIdOfItsOwnInEveryScope) {
  const PublicKey a = ada().public_key(), b = bob().public_key();
  std::set<ChannelKeyId> ids;
  for (const ChannelScope& scope :
       {ChannelScope{"mesh-1", "#ops", a}, ChannelScope{"mesh-2", "#ops", a},
        ChannelScope{"mesh-1", "#dev", a}, ChannelScope{"mesh-1", "*", a},
        ChannelScope{"mesh-1", "#ops", b}, ChannelScope{"mesh-1#", "ops", a}}) {
    EXPECT_TRUE(ids.insert(ChannelKey::from_bytes(kBytes, scope).id()).second) << scope.target;
    EXPECT_TRUE(ids.insert(ChannelKey::generate(scope).id()).second);
  }
  EXPECT_EQ(ops_key().id(), ChannelKey::from_bytes(kBytes, ops()).id());
  EXPECT_EQ(ops_key().bytes(), kBytes);
}

TEST(ChannelKey, LeavesNoKeyWhereItWas) {
  static_assert(!std::is_copy_constructible_v<ChannelKey>);
  static_assert(!std::is_copy_assignable_v<ChannelKey>);
  ChannelKey first = ops_key();
  ChannelKey second = std::move(first);
  EXPECT_EQ(first.bytes(), ChannelKeyBytes{});
  ChannelKey third = ChannelKey::generate(ops());
  third = std::move(second);
  EXPECT_EQ(second.bytes(), ChannelKeyBytes{});
  ChannelKey& same = third;
  third = std::move(same);
  EXPECT_EQ(third.bytes(), kBytes);

  alignas(ChannelKey) std::array<unsigned char, sizeof(ChannelKey)> memory{};
  auto* key = new (memory.data()) ChannelKey(std::move(third));
  std::destroy_at(key);
  const auto first_of_key = std::search_n(memory.begin(), memory.end(), 3, kBytes[0]);
  EXPECT_EQ(first_of_key, memory.end());
}

// What a signature under an identity's key covers must not be what another format signs: a hello
// begins with a letter or digit of a mesh id, an invite with a version, this with a length.
TEST(ChannelBody, SignsNoTextOfAnotherFormat) {
  const std::string text = joined_fields("signet/channel/v1", {});
  EXPECT_EQ(text.substr(0, 8), std::string("\x11\0\0\0\0\0\0\0", 8));
}

TEST(Fields, AreTheTextThatDigestsRunOver) {
  const std::string text = joined_fields("domain", {"a", "", std::string_view("\0b", 2)});
  Digest32 expected{};
  crypto_generichash(expected.data(), expected.size(), bytes_of(text).data(), text.size(), nullptr,
                     0);
  EXPECT_EQ(digest32("domain", {"a", "", std::string_view("\0b", 2)}), expected);
}

struct AeadVector {
  std::string key, iv, aad, msg, ct, tag;
};

std::vector<unsigned char> bytes_from(const std::string& hex) {
  std::vector<unsigned char> bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return bytes;
}

bool opens(const AeadVector& vector) {
  const auto key = bytes_from(vector.key), iv = bytes_from(vector.iv), aad = bytes_from(vector.aad);
  const auto sealed = bytes_from(vector.ct + vector.tag);
  // A nonce has 24 bytes by its type here; the vectors with others can't be said.
  if (iv.size() != std::tuple_size_v<ChannelNonce>) return false;
  std::vector<unsigned char> plain(sealed.size() + 1);
  unsigned long long size = 0;
  return crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), &size, nullptr, sealed.data(),
                                                    sealed.size(), aad.data(), aad.size(),
                                                    iv.data(), key.data()) == 0 &&
         to_hex(ByteView(plain).first(size)) == vector.msg;
}

// The primitive below channel bodies and records at rest.
TEST(XChaCha20Poly1305, AgreesWithEveryWycheproofVector) {
  const auto text = wycheproof_file("xchacha20_poly1305_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  AeadVector vector;
  int checked = 0, valid = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "key") vector.key = value;
    if (name == "iv") vector.iv = value;
    if (name == "aad") vector.aad = value;
    if (name == "msg") vector.msg = value;
    if (name == "ct") vector.ct = value;
    if (name == "tag") vector.tag = value;
    if (name != "result") continue;
    EXPECT_EQ(opens(vector), value == "valid") << "vector " << checked + 1;
    valid += value == "valid" ? 1 : 0;
    ++checked;
  }
  EXPECT_EQ(checked, 315);
  EXPECT_GT(valid, 100);
}

}  // namespace
}  // namespace signet::crypto
