#include "crypto/hash.h"

#include <sodium.h>

namespace signet::crypto {
namespace {

static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));

void add_field(crypto_generichash_state& state, std::string_view field) {
  std::array<unsigned char, 8> length;
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<unsigned char>(std::uint64_t{field.size()} >> (8 * i));
  }
  crypto_generichash_update(&state, length.data(), length.size());
  crypto_generichash_update(&state, bytes_of(field).data(), field.size());
}

template <class Digest>
Digest digest(std::string_view domain, std::initializer_list<std::string_view> fields) {
  Digest out;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, out.size());
  add_field(state, domain);
  for (const std::string_view field : fields) add_field(state, field);
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

using TableKey = std::array<unsigned char, crypto_shorthash_KEYBYTES>;

const TableKey& table_key() {
  static const TableKey key = [] {
    TableKey drawn;
    crypto_shorthash_keygen(drawn.data());
    return drawn;
  }();
  return key;
}

}  // namespace

Digest16 digest16(std::string_view domain, std::initializer_list<std::string_view> fields) {
  return digest<Digest16>(domain, fields);
}

Digest32 digest32(std::string_view domain, std::initializer_list<std::string_view> fields) {
  return digest<Digest32>(domain, fields);
}

std::size_t KeyedHash::operator()(std::string_view text) const noexcept {
  std::uint64_t hash;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), bytes_of(text).data(), text.size(),
                   table_key().data());
  return static_cast<std::size_t>(hash);
}

}  // namespace signet::crypto
