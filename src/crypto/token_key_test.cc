#include "crypto/token_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <set>
#include <thread>
#include <vector>

namespace signet::crypto {
namespace {

constexpr TokenAlgorithm kAll[] = {TokenAlgorithm::kHs256, TokenAlgorithm::kEdDsa,
                                   TokenAlgorithm::kEs256, TokenAlgorithm::kRs256};

const TokenKeyParts& parts_of(TokenAlgorithm algorithm) {
  static const TokenKeyParts made[] = {generate_token_key(kAll[0]), generate_token_key(kAll[1]),
                                       generate_token_key(kAll[2]), generate_token_key(kAll[3])};
  return made[static_cast<std::size_t>(algorithm)];
}

// Like `of`, but for a change. Parts are not copied by themselves: they hold secrets.
template <class Change>
TokenKeyParts changed(TokenAlgorithm algorithm, Change change) {
  const TokenKeyParts& of = parts_of(algorithm);
  TokenKeyParts parts;
  parts.algorithm = of.algorithm;
  for (const auto each :
       {&TokenKeyParts::k, &TokenKeyParts::x, &TokenKeyParts::y, &TokenKeyParts::n,
        &TokenKeyParts::e, &TokenKeyParts::d, &TokenKeyParts::p, &TokenKeyParts::q,
        &TokenKeyParts::dp, &TokenKeyParts::dq, &TokenKeyParts::qi}) {
    parts.*each = of.*each;
  }
  change(parts);
  return parts;
}

TEST(TokenKey, ChecksWhatItSigned) {
  for (const TokenAlgorithm algorithm : kAll) {
    SCOPED_TRACE(name_of(algorithm));
    const auto signing = TokenKey::signing(parts_of(algorithm));
    const auto verifying = TokenKey::verifying(parts_of(algorithm));
    ASSERT_TRUE(signing.ok() && verifying.ok());
    const auto signature = signing->sign("a.b");
    ASSERT_TRUE(signature.ok());
    EXPECT_TRUE(verifying->verify("a.b", bytes_of(*signature)));
    EXPECT_FALSE(verifying->verify("a.c", bytes_of(*signature)));
    EXPECT_FALSE(verifying->verify("a.b", bytes_of(*signature + '\0')));
    EXPECT_FALSE(verifying->verify("a.b", bytes_of(signature->substr(1))));
    EXPECT_FALSE(verifying->verify("a.b", {}));
    EXPECT_EQ(verifying->algorithm(), algorithm);
    EXPECT_EQ(token_algorithm_from(name_of(algorithm)), algorithm);
    for (const TokenAlgorithm other : kAll) {
      if (other == algorithm) continue;
      EXPECT_FALSE(TokenKey::verifying(parts_of(other))->verify("a.b", bytes_of(*signature)));
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0U);  // TLS on this thread would take it for its own
}

TEST(TokenKey, IsToldApartByWhatItIs) {
  std::set<Digest32> digests;
  for (const TokenAlgorithm algorithm : kAll) {
    const auto verifying = TokenKey::verifying(parts_of(algorithm));
    EXPECT_EQ(verifying->digest(), TokenKey::verifying(parts_of(algorithm))->digest());
    EXPECT_EQ(verifying->digest(), TokenKey::signing(parts_of(algorithm))->digest());
    digests.insert(verifying->digest());
    digests.insert(TokenKey::verifying(generate_token_key(algorithm))->digest());
  }
  EXPECT_EQ(digests.size(), 8U);
}

TEST(TokenKey, TakesNoSignatureOfP256OutOfItsRange) {
  const auto key = TokenKey::verifying(parts_of(TokenAlgorithm::kEs256));
  ASSERT_TRUE(key.ok());
  std::string order(32, '\0');
  ASSERT_TRUE(from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                       {reinterpret_cast<unsigned char*>(order.data()), order.size()}));
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\1';
  const std::string most(32, '\xff');
  for (const std::string& r : {zero, one, order, most}) {
    for (const std::string& s : {zero, one, order, most}) {
      EXPECT_FALSE(key->verify("a.b", bytes_of(r + s)));
    }
  }
}

TEST(TokenKey, IsNoneOfPartsThatAreNone) {
  struct Row {
    const char* name;
    TokenAlgorithm algorithm;
    void (*change)(TokenKeyParts&);
    const char* detail;
  };
  constexpr auto kEc = TokenAlgorithm::kEs256;
  constexpr auto kEd = TokenAlgorithm::kEdDsa;
  constexpr auto kRsa = TokenAlgorithm::kRs256;
  // clang-format off
  const Row rows[] = {
    {"a short secret", TokenAlgorithm::kHs256, [](auto& p) { p.k.pop_back(); }, "k has less than 32 bytes"},
    {"no secret", TokenAlgorithm::kHs256, [](auto& p) { p.k.clear(); }, "k has less than 32 bytes"},
    {"31 bytes of Ed25519", kEd, [](auto& p) { p.x.pop_back(); }, "x is not of 32 bytes"},
    {"a point of small order", kEd, [](auto& p) { p.x = std::string(32, '\0'); }, "x is no point of Ed25519"},
    {"another spelling of a point", kEd, [](auto& p) { p.x = std::string(32, '\xff'); }, "x is no point of Ed25519"},
    {"31 bytes of x", kEc, [](auto& p) { p.x.pop_back(); }, "x or y is not of 32 bytes"},
    {"33 bytes of y", kEc, [](auto& p) { p.y.insert(0, 1, '\0'); }, "x or y is not of 32 bytes"},
    {"off the curve", kEc, [](auto& p) { p.y[31] = static_cast<char>(p.y[31] ^ 1); }, "x and y are no point of P-256"},
    {"past the field", kEc, [](auto& p) { p.x = std::string(32, '\xff'); }, "x and y are no point of P-256"},
    {"no n", kRsa, [](auto& p) { p.n.clear(); }, "n or e is empty or begins with a zero byte"},
    {"no e", kRsa, [](auto& p) { p.e.clear(); }, "n or e is empty or begins with a zero byte"},
    {"n with a zero before it", kRsa, [](auto& p) { p.n.insert(0, 1, '\0'); }, "n or e is empty or begins with a zero byte"},
    {"2047 bits", kRsa, [](auto& p) { p.n.resize(256); p.n[0] = '\x7f'; }, "n has less than 2048 bits"},
    {"8193 bits", kRsa, [](auto& p) { p.n = '\1' + std::string(1024, '\xff'); }, "n has more than 8192 bits"},
    {"a megabyte", kRsa, [](auto& p) { p.n = std::string(1 << 20, '\xff'); }, "n has more than 8192 bits"},
    {"an even n", kRsa, [](auto& p) { p.n.back() = static_cast<char>(p.n.back() ^ 1); }, "n is even"},
    {"e of 1", kRsa, [](auto& p) { p.e = "\1"; }, "e is even or 1"},
    {"e of 2", kRsa, [](auto& p) { p.e = "\2"; }, "e is even or 1"},
    {"e of five bytes", kRsa, [](auto& p) { p.e = "\1\1\1\1\1"; }, "e has more than 32 bits"},
  };
  // clang-format on
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto key = TokenKey::verifying(changed(row.algorithm, row.change));
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(key.error().detail.starts_with(row.detail)) << key.error().detail;
  }
  EXPECT_TRUE(TokenKey::verifying(changed(kRsa, [](auto& p) { p.e = "\3"; })).ok());
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(TokenKey, SignsWithThePrivatePartOfItsPublicOneOnly) {
  struct Row {
    const char* name;
    TokenAlgorithm algorithm;
    void (*change)(TokenKeyParts&);
  };
  const Row rows[] = {
      {"Ed25519 without", TokenAlgorithm::kEdDsa, [](auto& p) { p.d.clear(); }},
      {"Ed25519 of another", TokenAlgorithm::kEdDsa,
       [](auto& p) { p.d[0] = static_cast<char>(p.d[0] ^ 1); }},
      {"P-256 without", TokenAlgorithm::kEs256, [](auto& p) { p.d.clear(); }},
      {"P-256 of nothing", TokenAlgorithm::kEs256, [](auto& p) { p.d = std::string(32, '\0'); }},
      {"P-256 of another", TokenAlgorithm::kEs256,
       [](auto& p) { p.d[31] = static_cast<char>(p.d[31] ^ 1); }},
      {"RSA without", TokenAlgorithm::kRs256, [](auto& p) { p.d.clear(); }},
      {"RSA without a factor", TokenAlgorithm::kRs256, [](auto& p) { p.p.clear(); }},
  };
  for (const Row& row : rows) {
    EXPECT_FALSE(TokenKey::signing(changed(row.algorithm, row.change)).ok()) << row.name;
  }
}

TEST(TokenKey, IsSharedByThreads) {
  const auto signing = TokenKey::signing(parts_of(TokenAlgorithm::kEs256));
  const auto rsa = TokenKey::signing(parts_of(TokenAlgorithm::kRs256));
  ASSERT_TRUE(signing.ok() && rsa.ok());
  const std::string signature = *signing->sign("a.b");
  const std::string other = *rsa->sign("a.b");
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        EXPECT_TRUE(signing->verify("a.b", bytes_of(signature)));
        EXPECT_TRUE(rsa->verify("a.b", bytes_of(other)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TokenAlgorithm, HasOneSpelling) {
  for (const char* const other : {"", "none", "hs256", "HS256 ", "HS512", "EDDSA", "Ed25519"}) {
    EXPECT_EQ(token_algorithm_from(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace signet::crypto
