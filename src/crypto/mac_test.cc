#include "crypto/mac.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/compare.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

std::string bytes_from(const std::string& hex) {
  std::vector<unsigned char> bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return std::string(text_of(bytes));
}

// FIPS 180-4 examples, and the vectors of the PulseMesh page.
TEST(Sha256, IsTheOneOfTheStandard) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256({"abc"})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({std::string(1'000'000, 'a')})),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HashesPartsAsOneText) {
  const std::string text(200, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(sha256({text.substr(0, cut), "", text.substr(cut)}), sha256({text})) << cut;
  }
}

// RFC 4231: keys shorter and longer than a block.
TEST(HmacSha256, AgreesWithTheRfc) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, AgreesWithWycheproof) {
  const auto text = wycheproof_file("hmac_sha256_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  std::string key, message, tag;
  int checked = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "key") key = bytes_from(value);
    if (name == "msg") message = bytes_from(value);
    if (name == "tag") tag = bytes_from(value);
    if (name != "result") continue;
    const Digest32 digest = hmac_sha256(key, message);
    const std::string_view cut = text_of(digest).substr(0, tag.size());  // half are of 128 bits
    EXPECT_EQ(equal_secrets(cut, tag), value == "valid") << "vector " << checked + 1;
    ++checked;
  }
  EXPECT_EQ(checked, 174);
}

}  // namespace
}  // namespace signet::crypto
