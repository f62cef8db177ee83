#include "signetd/token_secret.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "trust/signing_key.h"

namespace signet {
namespace {

constexpr char kGood[] = "the heron waits at the third lock";

TEST(TokenSecret, IsTheKeyThatOthersSignWith) {
  const auto key = token_secret_key(kGood, false);
  ASSERT_TRUE(key.ok()) << key.error().detail;
  EXPECT_EQ(*key, "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" +
                      to_base64url(bytes_of(std::string_view(kGood))) + "\"}");
  EXPECT_TRUE(trust::KeySet::parse(*key).ok());
}

// HMAC-SHA-256 of "text", by another implementation (Python's hmac module).
TEST(TokenSecret, MayBeShortInDevModeAndStaysTheSameKey) {
  const auto key = token_secret_key("JWT_SECRET_123456789", true);
  ASSERT_TRUE(key.ok()) << key.error().detail;
  const auto signing = trust::SigningKey::parse(*key);
  ASSERT_TRUE(signing.ok()) << signing.error().detail;
  const auto signature = signing->sign("text");
  ASSERT_TRUE(signature.ok());
  EXPECT_EQ(to_hex(bytes_of(*signature)),
            "bba3919c51e19e91a81669ad9bb50226ba857773cede992b9d11ea91ec09a19d");
}

TEST(TokenSecret, IsRefusedWhereItIsShortOrPublished) {
  const auto short_key = token_secret_key("short but of its own", false);
  ASSERT_TRUE(short_key.ok());
  EXPECT_FALSE(trust::KeySet::parse(*short_key).ok());
  for (const char* sample :
       {"microbridge_jwt_secret_dev_12345", "JWT_SECRET_123456789", "HMAC_SECRET_987654321",
        "engine_shared_secret_mno345", "ENGINE_SHARED_SECRET_123"}) {
    SCOPED_TRACE(sample);
    EXPECT_FALSE(token_secret_key(sample, false).ok());
    const auto key = token_secret_key(sample, true);
    ASSERT_TRUE(key.ok());
    EXPECT_TRUE(has_sample_key(*trust::KeySet::parse(*key)));
  }
  EXPECT_FALSE(has_sample_key(*trust::KeySet::parse(*token_secret_key(kGood, false))));
}

}  // namespace
}  // namespace signet
