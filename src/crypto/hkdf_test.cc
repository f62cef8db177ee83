#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

std::string bytes_from(const std::string& hex) {
  std::vector<unsigned char> bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return std::string(text_of(bytes));
}

// The bytes from one to another, as the RFC counts them.
std::string counted(int from, int to) {
  std::string bytes;
  for (int byte = from; byte <= to; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

std::string hkdf(std::string_view secret, std::string_view salt,
                 std::initializer_list<std::string_view> info, std::size_t size) {
  std::vector<unsigned char> out(size);
  hkdf_sha256(secret, salt, info, out);
  return to_hex(out);
}

// RFC 5869, appendix A: the three of SHA-256.
TEST(HkdfSha256, AgreesWithTheRfc) {
  EXPECT_EQ(hkdf(std::string(22, '\x0b'), counted(0x00, 0x0c), {counted(0xf0, 0xf9)}, 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf(counted(0x00, 0x4f), counted(0x60, 0xaf), {counted(0xb0, 0xff)}, 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41"
            "c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hkdf(std::string(22, '\x0b'), "", {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256, AgreesWithWycheproof) {
  const auto text = wycheproof_file("hkdf_sha256_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  std::string secret, salt, info, key;
  int checked = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "ikm") secret = bytes_from(value);
    if (name == "salt") salt = bytes_from(value);
    if (name == "info") info = bytes_from(value);
    if (name == "okm") key = value;
    if (name != "result" || value != "valid") continue;
    EXPECT_EQ(hkdf(secret, salt, {info}, key.size() / 2), key) << "vector " << checked + 1;
    ++checked;
  }
  EXPECT_EQ(checked, 83);  // the others ask for more than there is
}

TEST(HkdfSha256, MarksNoBordersWithinTheInfo) {
  const std::string info = "what it is for";
  for (std::size_t cut = 0; cut <= info.size(); ++cut) {
    EXPECT_EQ(hkdf("secret", "salt", {info.substr(0, cut), "", info.substr(cut)}, 64),
              hkdf("secret", "salt", {info}, 64));
  }
}

TEST(HkdfSha256, OfAnotherInputIsAnotherKey) {
  const std::set<std::string> keys{
      hkdf("secret", "salt", {"a"}, 32), hkdf("secret", "salt", {"b"}, 32),
      hkdf("secret", "salt", {}, 32),    hkdf("secret", "", {"a"}, 32),
      hkdf("secret", "a", {"salt"}, 32), hkdf("other", "salt", {"a"}, 32)};
  EXPECT_EQ(keys.size(), 6U);
}

TEST(HkdfSha256, FillsAnySizeThatThereIs) {
  const std::string most = hkdf("secret", "salt", {"a"}, kMaxHkdfBytes);
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 65U, 8159U}) {
    EXPECT_EQ(hkdf("secret", "salt", {"a"}, size), most.substr(0, 2 * size));
  }
  std::vector<unsigned char> more(kMaxHkdfBytes + 1);
  EXPECT_DEATH(hkdf_sha256("secret", "salt", {"a"}, more), "");
}

}  // namespace
}  // namespace signet::crypto
