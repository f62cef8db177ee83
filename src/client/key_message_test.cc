// Beside the vectors (sealing_vectors_test.cc): what can't be said as a list of texts.
#include "client/key_message.h"

#include <gtest/gtest.h>

namespace signet::client {
namespace {

const crypto::PublicKey& ada() {
  static const crypto::PublicKey key = crypto::SecretKey::from_seed({1}).public_key();
  return key;
}

KeyGrant grant_for(const std::string& target) {
  return {target, crypto::ChannelKey::from_bytes({5, 6, 7}, {"mesh-1", target, ada()})};
}

TEST(KeyMessage, IsReadAsItWasWrittenAndBeginsWithNul) {
  for (const std::string& target : {std::string("*"), std::string("#a"), std::string("tag:gpu"),
                                    "tag:" + std::string(64, 'x'), std::string("#A-z0.9_:/")}) {
    const KeyGrant grant = grant_for(target);
    const std::string text = write_key_message(grant);
    EXPECT_TRUE(begins_as_key_message(text));
    EXPECT_LE(text.size(), kMaxKeyMessageBytes);
    const auto read = read_key_message(text, "mesh-1", ada());
    ASSERT_TRUE(read.ok()) << target;
    EXPECT_EQ(std::get<KeyGrant>(*read).target, target);
    EXPECT_EQ(std::get<KeyGrant>(*read).key.bytes(), grant.key.bytes());
    EXPECT_EQ(std::get<KeyGrant>(*read).key.id(), grant.key.id());

    const auto asked =
        read_key_message(write_key_message(KeyRequest{target, grant.key.id()}), "mesh-1", ada());
    ASSERT_TRUE(asked.ok()) << target;
    EXPECT_EQ(std::get<KeyRequest>(*asked).target, target);
    EXPECT_EQ(std::get<KeyRequest>(*asked).key_id, grant.key.id());
  }
}

// The id binds the key to its place: any change of any bit is either no key message or asks for
// another key; none hands one over.
TEST(KeyMessage, HandsOverNothingWithABitChanged) {
  const std::string text = write_key_message(grant_for("#ops"));
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(read_key_message(flipped, "mesh-1", ada()).ok()) << bit;
  }
}

TEST(KeyMessage, IsReadAtNoOtherLength) {
  for (const std::string& text :
       {write_key_message(grant_for("#ops")), write_key_message(KeyRequest{"#ops", {}})}) {
    ASSERT_TRUE(read_key_message(text, "mesh-1", ada()).ok());
    for (std::size_t size = 0; size < text.size(); ++size) {
      ASSERT_FALSE(read_key_message(text.substr(0, size), "mesh-1", ada()).ok()) << size;
    }
    for (const char more : {'\0', ' ', '}', '\n'}) {
      EXPECT_FALSE(read_key_message(text + more, "mesh-1", ada()).ok());
    }
    EXPECT_FALSE(read_key_message(text + std::string(1'000'000, ' '), "mesh-1", ada()).ok());
  }
}

TEST(KeyMessage, ConcernsKeysOfItsSenderInItsMesh) {
  const std::string text = write_key_message(grant_for("#ops"));
  EXPECT_TRUE(read_key_message(text, "mesh-1", ada()).ok());
  EXPECT_FALSE(read_key_message(text, "mesh-2", ada()).ok());
  const auto eve = crypto::SecretKey::from_seed({2}).public_key();
  const auto passed_on = read_key_message(text, "mesh-1", eve);
  ASSERT_FALSE(passed_on.ok());
  EXPECT_EQ(passed_on.error().code, ErrorCode::kMalformed);
}

TEST(Audience, IsEverybodyAChannelOrATag) {
  const std::string name(64, 'n');
  const struct {
    std::string target;
    bool is;
  } rows[] = {
      {"*", true},
      {"#ops", true},
      {"tag:gpu", true},
      {"#a.b_c-d:e/F", true},
      {"#" + name, true},
      {"tag:" + name, true},
      {"", false},
      {"**", false},
      {"#", false},
      {"tag:", false},
      {"tag", false},
      {"#" + name + "n", false},
      {"#a b", false},
      {"#\"", false},
      {"#caf\xc3\xa9", false},
      {"ops", false},
      {"##ops", false},
      {std::string(64, 'a'), false},
      {"#a\n", false},
      {"Tag:gpu", false},
      {" #ops", false},
  };
  for (const auto& row : rows) EXPECT_EQ(is_audience(row.target), row.is) << row.target;
}

}  // namespace
}  // namespace signet::client
