#include "crypto/evp_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

constexpr int kCoordinateBytes = 32;
constexpr std::size_t kHalf = kCoordinateBytes;
constexpr unsigned kNewRsaBits = 3'072;  // as strong as P-256, RFC 7518's curve

template <auto Free>
struct Frees {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using Number = std::unique_ptr<BIGNUM, Frees<BN_clear_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Frees<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Frees<EVP_MD_CTX_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Frees<OSSL_PARAM_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Frees<OSSL_PARAM_BLD_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Frees<ECDSA_SIG_free>>;

// What the library says of a failure stays in a queue of the thread, in which TLS would find it.
class ForgetsErrors {
 public:
  ForgetsErrors() { ERR_set_mark(); }
  ~ForgetsErrors() { ERR_pop_to_mark(); }
  ForgetsErrors(const ForgetsErrors&) = delete;
  ForgetsErrors& operator=(const ForgetsErrors&) = delete;
};

Error bad(const char* detail) { return {ErrorCode::kMalformed, detail}; }

Number number_of(ByteView bytes) {
  Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  if (!number) std::abort();  // no memory
  return number;
}
Number number_of(std::string_view bytes) { return number_of(bytes_of(bytes)); }

// Collects what a key is made of. Keeps its numbers, which the builder only borrows: stays in
// place.
class KeyMaker {
 public:
  KeyMaker() : builder_(OSSL_PARAM_BLD_new()) {}
  KeyMaker(const KeyMaker&) = delete;
  KeyMaker& operator=(const KeyMaker&) = delete;

  void add(const char* name, std::string_view big_endian) {
    numbers_.push_back(number_of(big_endian));
    ok_ = ok_ && OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get()) == 1;
  }
  void add_text(const char* name, const char* text) {
    ok_ = ok_ && OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, text, 0) == 1;
  }
  void add_point(const char* name, std::string bytes) {
    point_ = std::move(bytes);
    ok_ = ok_ &&
          OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, point_.data(), point_.size()) == 1;
  }

  // Null where the library finds no key in it.
  EvpKey make(const char* kind, int selection) {
    const Context context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    const Params params(ok_ ? OSSL_PARAM_BLD_to_param(builder_.get()) : nullptr);
    if (!context || !params || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    EVP_PKEY* made = nullptr;
    const int result = EVP_PKEY_fromdata(context.get(), &made, selection, params.get());
    EvpKey key(made);
    if (result != 1) key.reset();
    return key;
  }

 private:
  std::vector<Number> numbers_;
  std::string point_;
  Builder builder_;
  bool ok_ = true;
};

// Keys of one widely used library can be told, and factored, by their remainders: each is a power
// of 65537 modulo every small prime (CVE-2017-15361). One in 2^80 others looks like that too.
bool has_findable_factors(const BIGNUM* modulus) {
  constexpr BN_ULONG kGenerator = 65'537;
  constexpr std::array<BN_ULONG, 38> kPrimes{
      3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
      73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  for (const BN_ULONG prime : kPrimes) {
    const BN_ULONG remainder = BN_mod_word(modulus, prime);
    BN_ULONG power = 1;
    do {
      if (power == remainder) break;
      power = power * kGenerator % prime;
    } while (power != 1);
    if (power != remainder) return false;
  }
  return true;
}

Status check_rsa(const TokenKeyParts& parts) {
  if (parts.n.empty() || parts.n.front() == '\0' || parts.e.empty() || parts.e.front() == '\0') {
    return bad("n or e is empty or begins with a zero byte");
  }
  if (parts.n.size() > kMostRsaBits / 8 + 1) return bad("n has more than 8192 bits");
  const Number n = number_of(parts.n);
  const auto bits = static_cast<std::size_t>(BN_num_bits(n.get()));
  if (bits < kLeastRsaBits) return bad("n has less than 2048 bits");
  if (bits > kMostRsaBits) return bad("n has more than 8192 bits");
  if (BN_is_odd(n.get()) == 0) return bad("n is even");
  if (parts.e.size() > kMostRsaExponentBytes) return bad("e has more than 32 bits");
  const Number e = number_of(parts.e);
  if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1) return bad("e is even or 1");
  if (has_findable_factors(n.get())) return bad("n is of the kind whose factors are found (ROCA)");
  return Done{};
}

bool is_coordinate(const std::string& bytes) { return bytes.size() == kHalf; }

void add_p256(KeyMaker& maker, const TokenKeyParts& parts) {
  maker.add_text(OSSL_PKEY_PARAM_GROUP_NAME, "P-256");
  constexpr char kUncompressed = '\x04';
  maker.add_point(OSSL_PKEY_PARAM_PUB_KEY, kUncompressed + parts.x + parts.y);
}

// 1 <= number < order of P-256.
bool is_scalar(const BIGNUM* number) {
  static const Number kOrder = [] {
    BIGNUM* order = nullptr;
    BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    return Number(order);
  }();
  return BN_is_zero(number) == 0 && BN_cmp(number, kOrder.get()) < 0;
}

bool verify_sha256(const EvpKey& key, std::string_view text, ByteView signature) {
  const Digest digest(EVP_MD_CTX_new());
  const ByteView bytes = bytes_of(text);
  return digest && key &&
         EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(digest.get(), signature.data(), signature.size(), bytes.data(),
                          bytes.size()) == 1;
}

Result<std::string> sign_sha256(const EvpKey& key, std::string_view text) {
  const ForgetsErrors forgets;
  const Error failed{ErrorCode::kBug, "the key signs nothing"};
  const Digest digest(EVP_MD_CTX_new());
  const ByteView bytes = bytes_of(text);
  std::size_t size = 0;
  if (!digest || EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes.data(), bytes.size()) != 1) {
    return failed;
  }
  std::string signature(size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(digest.get(), out, &size, bytes.data(), bytes.size()) != 1) return failed;
  signature.resize(size);
  return signature;
}

std::string bytes_of_number(const EvpKey& key, const char* name, std::size_t least) {
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &found) != 1) std::abort();  // a key of its own
  const Number number(found);
  const std::size_t size = std::max(static_cast<std::size_t>(BN_num_bytes(found)), least);
  std::string bytes(size, '\0');
  BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  return bytes;
}

}  // namespace

void FreesEvpKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<EvpKey> public_evp_key(const TokenKeyParts& parts) {
  const ForgetsErrors forgets;
  if (parts.algorithm == TokenAlgorithm::kRs256) {
    SIGNET_TRY([[maybe_unused]] const Done checked, check_rsa(parts));
    KeyMaker maker;
    maker.add(OSSL_PKEY_PARAM_RSA_N, parts.n);
    maker.add(OSSL_PKEY_PARAM_RSA_E, parts.e);
    EvpKey key = maker.make("RSA", EVP_PKEY_PUBLIC_KEY);
    if (!key) return bad("n and e are no key");
    return key;
  }
  if (!is_coordinate(parts.x) || !is_coordinate(parts.y)) return bad("x or y is not of 32 bytes");
  KeyMaker maker;
  add_p256(maker, parts);
  EvpKey key = maker.make("EC", EVP_PKEY_PUBLIC_KEY);
  const Context context(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return bad("x and y are no point of P-256");
  }
  return key;
}

Result<EvpKey> private_evp_key(const TokenKeyParts& parts) {
  const ForgetsErrors forgets;
  EvpKey key;
  if (parts.algorithm == TokenAlgorithm::kRs256) {
    for (const std::string* const each :
         {&parts.d, &parts.p, &parts.q, &parts.dp, &parts.dq, &parts.qi}) {
      if (each->empty()) return bad("one of d, p, q, dp, dq, qi is absent");
    }
    KeyMaker maker;
    maker.add(OSSL_PKEY_PARAM_RSA_N, parts.n);
    maker.add(OSSL_PKEY_PARAM_RSA_E, parts.e);
    maker.add(OSSL_PKEY_PARAM_RSA_D, parts.d);
    maker.add(OSSL_PKEY_PARAM_RSA_FACTOR1, parts.p);
    maker.add(OSSL_PKEY_PARAM_RSA_FACTOR2, parts.q);
    maker.add(OSSL_PKEY_PARAM_RSA_EXPONENT1, parts.dp);
    maker.add(OSSL_PKEY_PARAM_RSA_EXPONENT2, parts.dq);
    maker.add(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, parts.qi);
    key = maker.make("RSA", EVP_PKEY_KEYPAIR);
  } else {
    if (!is_coordinate(parts.d) || !is_scalar(number_of(parts.d).get())) {
      return bad("d is no number of P-256");
    }
    KeyMaker maker;
    add_p256(maker, parts);
    maker.add(OSSL_PKEY_PARAM_PRIV_KEY, parts.d);
    key = maker.make("EC", EVP_PKEY_KEYPAIR);
  }
  if (!key) return bad("its private part is none");
  return key;
}

void generate_evp_parts(TokenKeyParts& parts) {
  if (parts.algorithm == TokenAlgorithm::kEs256) {
    const EvpKey key(EVP_EC_gen("P-256"));
    if (!key) std::abort();  // no randomness
    parts.x = bytes_of_number(key, OSSL_PKEY_PARAM_EC_PUB_X, kHalf);
    parts.y = bytes_of_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, kHalf);
    parts.d = bytes_of_number(key, OSSL_PKEY_PARAM_PRIV_KEY, kHalf);
    return;
  }
  const EvpKey key(EVP_RSA_gen(kNewRsaBits));
  if (!key) std::abort();
  parts.n = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_N, 1);
  parts.e = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_E, 1);
  parts.d = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_D, 1);
  parts.p = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1, 1);
  parts.q = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2, 1);
  parts.dp = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1, 1);
  parts.dq = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2, 1);
  parts.qi = bytes_of_number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 1);
}

bool verify_p256(const EvpKey& key, std::string_view text, ByteView signature) {
  if (signature.size() != 2 * kHalf) return false;
  const ForgetsErrors forgets;
  Number r = number_of(signature.first(kHalf));
  Number s = number_of(signature.last(kHalf));
  if (!is_scalar(r.get()) || !is_scalar(s.get())) return false;
  const EcSignature pair(ECDSA_SIG_new());
  if (!pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // the pair owns them from here on
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return false;
  const bool good = verify_sha256(key, text, {der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return good;
}

bool verify_rsa(const EvpKey& key, std::string_view text, ByteView signature) {
  const ForgetsErrors forgets;
  if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.get()))) return false;
  return verify_sha256(key, text, signature);
}

Result<std::string> sign_rsa(const EvpKey& key, std::string_view text) {
  return sign_sha256(key, text);
}

Result<std::string> sign_p256(const EvpKey& key, std::string_view text) {
  SIGNET_TRY(const std::string der, sign_sha256(key, text));
  const ForgetsErrors forgets;
  const unsigned char* at = bytes_of(der).data();
  const EcSignature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!pair) return Error{ErrorCode::kBug, "the key signs nothing"};
  std::string signature(2 * kHalf, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, kCoordinateBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + kHalf, kCoordinateBytes);
  return signature;
}

}  // namespace signet::crypto
