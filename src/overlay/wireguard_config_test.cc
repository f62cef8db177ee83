#include "overlay/wireguard_config.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "base/core_for_test.h"
#include "base/encoding.h"
#include "crypto/secret_base64.h"
#include "overlay/epoch_keys.h"
#include "overlay/wireguard_drill_for_test.h"

namespace signet::overlay {
namespace {

WireGuardKey key_of(unsigned char byte) {
  WireGuardKey key;
  key.fill(byte);
  return key;
}

SecretBytes secret_of(char byte) { return SecretBytes(std::string(32, byte)); }

Endpoint endpoint(std::string_view text) {
  const auto read = Endpoint::of(text);
  EXPECT_TRUE(read.ok()) << text;
  return read.ok() ? *read : Endpoint{};
}

WireGuardPeer peer(unsigned char number) {
  WireGuardPeer peer;
  peer.key = key_of(number);
  peer.allowed_ip = 0x0a0a0000U + number;
  return peer;
}

// A node with three peers: one with everything, one by IPv6, one of which little is known.
WireGuardConfig three_peers() {
  WireGuardConfig config;
  config.private_key = secret_of('\x42');
  config.address = 0x0a0a0002;
  config.peers.push_back(peer(3));
  config.peers.back().endpoint = endpoint("192.0.2.7:51820");
  config.peers.back().preshared = secret_of('\x33');
  config.peers.back().keepalive_s = 25;
  config.peers.push_back(peer(4));
  config.peers.back().endpoint = endpoint("[2001:db8::4]:443");
  config.peers.push_back(peer(254));
  return config;
}

// The texts of the two forms, line by line: a line is of both, or of one (q, s).
constexpr struct {
  char of;
  std::string_view line;
} kLines[] = {
    {'b', "[Interface]"},
    {'q', "Address = 10.10.0.2/24"},
    {'b', "ListenPort = 51820"},
    {'b', "PrivateKey = QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="},
    {'b', ""},
    {'b', "[Peer]"},
    {'b', "PublicKey = AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="},
    {'b', "PresharedKey = MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM="},
    {'b', "AllowedIPs = 10.10.0.3/32"},
    {'b', "Endpoint = 192.0.2.7:51820"},
    {'b', "PersistentKeepalive = 25"},
    {'b', ""},
    {'b', "[Peer]"},
    {'b', "PublicKey = BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ="},
    {'s', "PresharedKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    {'b', "AllowedIPs = 10.10.0.4/32"},
    {'b', "Endpoint = [2001:db8::4]:443"},
    {'s', "PersistentKeepalive = off"},
    {'b', ""},
    {'b', "[Peer]"},
    {'b', "PublicKey = /v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v4="},
    {'s', "PresharedKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    {'b', "AllowedIPs = 10.10.0.254/32"},
    {'s', "PersistentKeepalive = off"},
};

std::string text_of_form(char form) {
  std::string text;
  for (const auto& each : kLines) {
    if (each.of == 'b' || each.of == form) text.append(each.line).append("\n");
  }
  return text;
}
std::string quick_text() { return text_of_form('q'); }
std::string sync_text() { return text_of_form('s'); }

std::string written(const WireGuardConfig& config, WireGuardForm form) {
  const auto text = write(config, form);
  return text.ok() ? std::string(text->text()) : "refused: " + text.error().detail;
}

// What is wrong with a text; empty: it was read.
std::string fault_in(std::string_view text, std::size_t max_peers = 100) {
  const auto read = read_wireguard(text, max_peers);
  if (read.ok()) return "";
  EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
  return read.error().detail;
}

TEST(WireGuardText, IsWrittenInBothForms) {
  EXPECT_EQ(written(three_peers(), WireGuardForm::kQuick), quick_text());
  EXPECT_EQ(written(three_peers(), WireGuardForm::kSync), sync_text());
}

TEST(WireGuardText, HasThePresharedKeyOfThePage) {
  std::string secret;
  for (char byte = 0; byte < 32; ++byte) secret.push_back(byte);
  WireGuardConfig config;
  config.address = 0x0a0a0002;
  config.peers.push_back(peer(0x22));
  config.peers.back().preshared =
      psk_of_pair(EpochSecret::of(secret), 7, key_of(0x11), key_of(0x22)).bytes;
  EXPECT_EQ(written(config, WireGuardForm::kQuick),
            "[Interface]\n"
            "Address = 10.10.0.2/24\n"
            "ListenPort = 51820\n"
            "\n"
            "[Peer]\n"
            "PublicKey = IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n"
            "PresharedKey = AblVoh3f2neb6n+SAeA0x7unMBNe3hHgWL6hTgoRrkE=\n"
            "AllowedIPs = 10.10.0.34/32\n");
}

TEST(WireGuardText, ReadsBackToTheSameModel) {
  for (const WireGuardForm form : {WireGuardForm::kQuick, WireGuardForm::kSync}) {
    const WireGuardConfig config = three_peers();
    const auto read = read_wireguard(written(config, form));
    ASSERT_TRUE(read.ok()) << read.error().detail;
    EXPECT_TRUE(is_same(*read, config, form));
  }
  EXPECT_FALSE(std::is_copy_constructible_v<WireGuardConfig>);
}

// Sound and unsound ones alike: what is written reads back, and what is refused has a reason.
TEST(WireGuardText, OfAnyValuesReadsBackOrIsRefused) {
  std::mt19937 random(3);
  int taken = 0, refused = 0, peers = 0;
  for (int round = 0; round < 800; ++round) {
    std::string bytes(8 + random() % 1'500, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    DrawnBytes drawn(bytes);
    const WireGuardConfig config = drawn_config(drawn);
    for (const WireGuardForm form : {WireGuardForm::kQuick, WireGuardForm::kSync}) {
      const auto text = write(config, form);
      ASSERT_EQ(text.ok(), is_sound_slowly(config, form)) << round;
      ++(text.ok() ? taken : refused);
      if (!text.ok()) continue;
      const auto read = read_wireguard(text->text());
      ASSERT_TRUE(read.ok()) << round << " " << read.error().detail;
      ASSERT_TRUE(is_same(*read, config, form)) << round;
      peers += static_cast<int>(config.peers.size());
    }
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(refused, 100);
  EXPECT_GT(peers, 300);
}

TEST(WireGuardText, OfManyPeersFits) {
  WireGuardConfig config;
  config.address = 0x0a000002;
  config.bits = 8;
  config.private_key = secret_of('k');
  constexpr std::uint32_t kPeers = 2'000;
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    WireGuardPeer each;
    each.key.fill(0xff);
    each.key[0] = static_cast<unsigned char>(i);
    each.key[1] = static_cast<unsigned char>(i >> 8);
    each.allowed_ip = 0x0affff00U - i;
    each.preshared = secret_of('p');
    // The longest of each line.
    each.endpoint = endpoint("[2001:1db8:1111:2222:3333:4444:5555:6666]:65535");
    each.keepalive_s = 65'535;
    config.peers.push_back(std::move(each));
  }
  const std::string text = written(config, WireGuardForm::kQuick);
  const auto read = read_wireguard(text, kPeers);
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_TRUE(is_same(*read, config, WireGuardForm::kQuick));
  EXPECT_EQ(fault_in(text, kPeers - 1).substr(0, 5), "line ");
}

// Threat K9, and values that WireGuard takes for others.
TEST(WireGuardText, IsNotWrittenOfWhatWouldMislead) {
  struct Row {
    const char* name;
    void (*change)(WireGuardConfig&);
    std::string_view fault;  // empty: none
  };
  // clang-format off
  const Row rows[] = {
      {"as it is", [](WireGuardConfig&) {}, ""},
      {"no peers", [](WireGuardConfig& c) { c.peers.clear(); }, ""},
      {"no private key yet", [](WireGuardConfig& c) { c.private_key = {}; }, ""},
      {"a key twice", [](WireGuardConfig& c) { c.peers[1].key = c.peers[0].key; }, "two peers with one key"},
      {"an address twice", [](WireGuardConfig& c) { c.peers[2].allowed_ip = c.peers[0].allowed_ip; }, "an address that is another's"},
      {"the node's own address", [](WireGuardConfig& c) { c.peers[2].allowed_ip = c.address; }, "an address that is another's"},
      {"an address outside of the subnet", [](WireGuardConfig& c) { c.peers[2].allowed_ip = 0x08080808; }, "a peer outside of the subnet"},
      {"one right behind the subnet", [](WireGuardConfig& c) { c.peers[2].allowed_ip = 0x0a0a0100; }, "a peer outside of the subnet"},
      {"no address of a peer", [](WireGuardConfig& c) { c.peers[2].allowed_ip = 0; }, "a peer without an address"},
      {"no key of a peer", [](WireGuardConfig& c) { c.peers[2].key = {}; }, "a peer without a key"},
      {"a pre-shared key of zeros", [](WireGuardConfig& c) { c.peers[2].preshared = SecretBytes(std::size_t{32}); }, "no pre-shared key"},
      {"a short pre-shared key", [](WireGuardConfig& c) { c.peers[2].preshared = SecretBytes(std::size_t{31}); }, "no pre-shared key"},
      {"a private key of zeros", [](WireGuardConfig& c) { c.private_key = SecretBytes(std::size_t{32}); }, "no private key"},
      {"a long private key", [](WireGuardConfig& c) { c.private_key = SecretBytes(std::string(33, 'k')); }, "no private key"},
      {"no port", [](WireGuardConfig& c) { c.listen_port = 0; }, "no port to listen on"},
      {"an endpoint without an address", [](WireGuardConfig& c) { c.peers[2].endpoint = Endpoint{{}, 1}; }, "no endpoint"},
      {"an endpoint without a port", [](WireGuardConfig& c) { c.peers[0].endpoint->port = 0; }, "no endpoint"},
      {"every address", [](WireGuardConfig& c) { c.bits = 0; }, "no subnet"},
      {"a subnet that is too wide", [](WireGuardConfig& c) { c.bits = 7; }, "no subnet"},
      {"more bits than there are", [](WireGuardConfig& c) { c.bits = 33; }, "no subnet"},
  };
  // clang-format on
  for (const Row& row : rows) {
    WireGuardConfig config = three_peers();
    row.change(config);
    for (const WireGuardForm form : {WireGuardForm::kQuick, WireGuardForm::kSync}) {
      const std::string text = written(config, form);
      if (row.fault.empty()) {
        EXPECT_TRUE(text.starts_with("[Interface]\n")) << row.name << ": " << text;
      } else {
        EXPECT_EQ(text, "refused: " + std::string(row.fault)) << row.name;
      }
    }
  }
}

TEST(WireGuardText, NeedsAnAddressForWgQuickOnly) {
  WireGuardConfig config = three_peers();
  config.address = 0;
  config.bits = 0;
  EXPECT_EQ(written(config, WireGuardForm::kQuick), "refused: no address");
  EXPECT_EQ(written(config, WireGuardForm::kSync), sync_text());
}

TEST(WireGuardReader, TakesOrderBlanksAndCommentsAsTheToolsDo) {
  const auto read = read_wireguard(
      "# a comment\n"
      "\n"
      "  [Interface]   # the node\n"
      "PrivateKey=QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n"
      "\tListenPort\t=\t51820\t\n"
      " \t \n"
      "Address =10.10.0.2/24 # its own\n"
      "[Peer]\n"
      "Endpoint = 192.0.2.7:51820\n"
      "AllowedIPs = 10.10.0.3/32\n"
      "PublicKey = AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=");
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(written(*read, WireGuardForm::kQuick),
            "[Interface]\n"
            "Address = 10.10.0.2/24\n"
            "ListenPort = 51820\n"
            "PrivateKey = QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n"
            "\n"
            "[Peer]\n"
            "PublicKey = AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n"
            "AllowedIPs = 10.10.0.3/32\n"
            "Endpoint = 192.0.2.7:51820\n");
}

TEST(WireGuardReader, ReadsTheSmallest) {
  const auto read = read_wireguard("[Interface]\nListenPort = 1");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->address, 0U);
  EXPECT_EQ(read->bits, 32);
  EXPECT_EQ(read->listen_port, 1);
  EXPECT_TRUE(read->private_key.empty());
  EXPECT_TRUE(read->peers.empty());
}

// Threat K8: one line more than is written, at every place of the text.
TEST(WireGuardReader, RefusesEveryOtherLine) {
  const std::string text = quick_text();
  ASSERT_EQ(fault_in(text), "");
  const std::string lines[] = {
      "PostUp = touch /tmp/owned",
      "PreUp = id",
      "PreDown = id",
      "PostDown = id",
      "postup=id",
      "Table = off",
      "DNS = 192.0.2.1",
      "MTU = 1280",
      "SaveConfig = true",
      "FwMark = 0x1",
      "AllowedIPs = 0.0.0.0/0",
      "AllowedIPs = ::/0",
      "Address = fd00::1/64",
      "allowedips = 10.10.0.9/32",
      "Unknown = 1",
      "= 1",
      "PostUp",
      "[Interface]",
      "[interface]",
      "[Peer] PostUp = id",
      "[Peer",
      "[Peers]",
      "[]",
      "\r",
      "# a comment that ends as in DOS\r",
      std::string("\0", 1),
      std::string("# a comment\0PostUp = id", 23),
      "\x0b",
      "\x0cPostUp = id",
      "# \x1b[2J",
      "# \xc3\xa9",
      "\xef\xbb\xbf",
      "\x7f",
      "# " + std::string(256, 'x'),
      std::string(257, ' '),
  };
  for (const std::string& line : lines) {
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      std::string hostile = text;
      hostile.insert(at, line + "\n");
      EXPECT_NE(fault_in(hostile), "") << line << "\nat " << at;
    }
    EXPECT_NE(fault_in(text + line), "") << line << "\nat the end";
  }
}

// One line of the text in place of another.
TEST(WireGuardReader, RefusesEveryOtherValue) {
  // clang-format off
  const struct { std::string_view line; std::string value; } rows[] = {
      {"AllowedIPs", "0.0.0.0/0"}, {"AllowedIPs", "10.10.0.0/24"}, {"AllowedIPs", "10.10.0.3/31"},
      {"AllowedIPs", "10.10.0.3"}, {"AllowedIPs", "10.10.0.3/032"}, {"AllowedIPs", "10.10.0.3/32,"},
      {"AllowedIPs", "10.10.0.3/32, 10.10.0.9/32"}, {"AllowedIPs", "10.10.0.3/32,0.0.0.0/32"},
      {"AllowedIPs", "::/0"}, {"AllowedIPs", "fd00::3/128"}, {"AllowedIPs", "fd00::3/32"},
      {"AllowedIPs", ""}, {"AllowedIPs", "0.0.0.0/32"}, {"AllowedIPs", "+10.10.0.3/32"},
      {"AllowedIPs", "10.10.0.2/32"}, {"AllowedIPs", "10.10.0.4/32"}, {"AllowedIPs", "10.11.0.3/32"},
      {"Address", "10.10.0.2"}, {"Address", "10.10.0.2/"}, {"Address", "10.10.0.2/0"},
      {"Address", "10.10.0.2/33"}, {"Address", "10.10.0.2/24, 10.0.0.1/8"}, {"Address", "0.0.0.0/8"},
      {"Address", "10.10.0.2/24/24"}, {"Address", "fd00::2/64"}, {"Address", "node-a/24"},
      {"Address", "10.10.0.2/7"}, {"Address", "10.10.1.2/24"}, {"Address", "10.10.0.3/24"},
      {"ListenPort", "0"}, {"ListenPort", "65536"}, {"ListenPort", "051820"}, {"ListenPort", ""},
      {"ListenPort", "-1"}, {"ListenPort", "0xCA6C"}, {"ListenPort", "51820; id"},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwN="},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=="},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwM DAwMDAwMDAwMDAwMDAwM="},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwM\nDAwMDAwMDAwMDAwMDAwM="},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\r"},
      {"PublicKey", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\nPostUp = id"},
      {"PublicKey", "_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v4="},
      {"PublicKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
      {"PublicKey", "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ="},
      {"PublicKey", ""},
      {"PresharedKey", "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMz=="},
      {"PresharedKey", "/etc/shadow"}, {"PresharedKey", ""},
      {"PrivateKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
      {"PrivateKey", "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ="}, {"PrivateKey", ""},
      {"Endpoint", "example.com:51820"}, {"Endpoint", "192.0.2.7"}, {"Endpoint", "192.0.2.7:0"},
      {"Endpoint", "$(id):51820"}, {"Endpoint", "192.0.2.7:51820 ; id"}, {"Endpoint", ""},
      {"PersistentKeepalive", "0"}, {"PersistentKeepalive", "65536"}, {"PersistentKeepalive", "Off"},
      {"PersistentKeepalive", "25s"}, {"PersistentKeepalive", ""},
  };
  // clang-format on
  for (const auto& row : rows) {
    std::string hostile = quick_text();
    const std::size_t from = hostile.find(std::string(row.line) + " = ") + row.line.size() + 3;
    hostile.replace(from, hostile.find('\n', from) - from, row.value);
    EXPECT_NE(fault_in(hostile), "") << row.line << " = " << row.value;
  }
}

TEST(WireGuardReader, RefusesWhatIsTwiceOrMissing) {
  const std::string text = quick_text();
  std::size_t from = 0;
  int required = 0, twice = 0;
  while (from < text.size()) {
    const std::size_t end = text.find('\n', from) + 1;
    const std::string line = text.substr(from, end - from);
    std::string doubled = text, without = text;
    doubled.insert(from, line);
    without.erase(from, end - from);
    if (line != "\n") {
      EXPECT_NE(fault_in(doubled), "") << line;
      ++twice;
    }
    const bool needed = line.starts_with('[') || line.starts_with("ListenPort") ||
                        line.starts_with("PublicKey") || line.starts_with("AllowedIPs");
    EXPECT_EQ(!fault_in(without).empty(), needed) << line;
    required += needed ? 1 : 0;
    from = end;
  }
  EXPECT_EQ(required, 4 + 1 + 3 + 3);
  EXPECT_EQ(twice, 4 + 3 + 5 + 3 + 2);
  for (const std::string_view none : {"", "\n", "# nothing\n", "[Peer]\n", "ListenPort = 1\n"}) {
    EXPECT_NE(fault_in(none), "") << none;
  }
}

TEST(WireGuardReader, NamesTheLineAndNothingOfIt) {
  const std::string secret = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=";
  // clang-format off
  const struct { std::string text; std::string_view detail; } rows[] = {
      {"", "line 0: no [Interface]"},
      {"\n[Peer]\n", "line 2: [Interface] once, and first"},
      {"[Interface]\nPrivateKey = " + secret + "x\n", "line 2: no key of 32 bytes in base64"},
      {"[Interface]\n" + secret + "\n", "line 2: no key of this section"},
      {"[Interface]\nPostUp = id\n", "line 2: no key of this section"},
      {"[Interface]\n\n\n[Peer]\n", "line 1: no ListenPort"},
      {"[Interface]\nListenPort = 1\nListenPort = 1\n", "line 3: a key twice"},
      {"[Interface]\nListenPort = 1\n[Peer]\nAllowedIPs = 10.0.0.1/32\n\n", "line 3: no PublicKey or no AllowedIPs"},
      {"[Interface]\nListenPort = 1\n[Peer]\nAllowedIPs = 10.0.0.1/24\n", "line 4: no single /32"},
      {quick_text() + "[Peer]\nPublicKey = " + secret + "\nAllowedIPs = 10.10.0.4/32\n[Peer]\n", "line 21: an address that is another's"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(fault_in(row.text), row.detail);
}

TEST(WireGuardReader, TakesSoManyPeersAndNoMore) {
  EXPECT_EQ(fault_in(quick_text(), 3), "");
  EXPECT_EQ(fault_in(quick_text(), 2), "line 18: too many peers");
  EXPECT_EQ(fault_in(quick_text(), 0), "line 6: too many peers");
}

TEST(WireGuardReader, SurvivesEveryCutAndEveryFlippedBit) {
  const std::string whole = quick_text();
  const std::string text = whole.substr(0, whole.rfind("\n\n[Peer]"));
  for (std::size_t size = 0; size < text.size(); ++size) {
    static_cast<void>(fault_in(text.substr(0, size)));
  }
  int taken = 0;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_wireguard(flipped);
    if (!read.ok()) continue;
    const auto form = read->address == 0 ? WireGuardForm::kSync : WireGuardForm::kQuick;
    const auto again = read_wireguard(written(*read, form));
    ASSERT_TRUE(again.ok() && is_same(*again, *read, form)) << bit;
    ++taken;
  }
  EXPECT_GT(taken, 0) << "of keys and ports there are others";
}

// The private key and a pre-shared one in text and as bytes: `needle` is how base64 has them.
TEST(WireGuardText, IsInNoCoreAndGoneAtItsEnd) {
  const Needle needle(51);
  {
    WireGuardConfig config = three_peers();
    std::string padded(needle.reveal().text());
    padded += "AAAAAAAAAAA=";
    auto key = crypto::from_secret_base64(padded);
    explicit_bzero(padded.data(), padded.size());
    ASSERT_TRUE(key && key->size() == 32);
    config.private_key = *std::move(key);
    const auto text = write(config, WireGuardForm::kQuick);
    ASSERT_TRUE(text.ok());
    const auto read = read_wireguard(text->text());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U) << "the test can tell";
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

TEST(Endpoint, IsAnAddressAndAPort) {
  // clang-format off
  const struct { std::string_view text; std::string_view written; } rows[] = {
      {"192.0.2.7:51820", "192.0.2.7:51820"},
      {"127.0.0.1:1", "127.0.0.1:1"},
      {"223.255.255.255:65535", "223.255.255.255:65535"},
      {"[2001:db8::1]:51820", "[2001:db8::1]:51820"},
      {"[2001:0DB8:0:0:0:0:0:1]:51820", "[2001:db8::1]:51820"},
      {"[::1]:51820", "[::1]:51820"},
      {"[::ffff:192.0.2.7]:51820", "192.0.2.7:51820"},
      {"[fe80::1]:51820", "[fe80::1]:51820"},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto read = Endpoint::of(row.text);
    ASSERT_TRUE(read.ok()) << row.text;
    EXPECT_TRUE(read->is_sound());
    EXPECT_EQ(read->text(), row.written);
    EXPECT_EQ(endpoint(read->text()), *read) << row.text;
  }
  EXPECT_FALSE(Endpoint{}.is_sound());
}

TEST(Endpoint, IsNothingElse) {
  for (const std::string_view text :
       {"", ":", "[]:", "192.0.2.7", "192.0.2.7:", ":51820", "192.0.2.7:0", "192.0.2.7:65536",
        "192.0.2.7:051820", "192.0.2.7:-1", "192.0.2.7:51820:1", "192.0.2.7 :51820",
        "192.0.2.7: 51820", " 192.0.2.7:51820", "192.0.2.7:51820 ", "192.0.2.7:51820\n",
        "192.0.2.7:51820\nPostUp = id", "192.0.2.7\n[Peer]:1", "192.0.2:51820", "0300.0.2.7:51820",
        "0x7f000001:51820", "localhost:51820", "example.com:51820", "2001:db8::1:51820",
        "[2001:db8::1]", "[2001:db8::1]51820", "[2001:db8::1]:", "[2001:db8::1]:0",
        "[2001:db8::1:51820", "[fe80::1%eth0]:51820", "[fe80::1%2]:51820", "[192.0.2.7]:51820",
        "[example.com]:51820", "[2001:db8::1\n]:51820", "[[::1]]:51820", "[::1 ]:51820",
        // Nobody's, or more than one's.
        "0.0.0.0:51820", "0.1.2.3:51820", "224.0.0.1:51820", "255.255.255.255:51820",
        "240.0.0.1:51820", "[::]:51820", "[ff02::1]:51820", "[::ffff:0.0.0.0]:51820",
        "[::ffff:224.0.0.1]:51820"}) {
    const auto read = Endpoint::of(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
    EXPECT_EQ(read.error().detail.find("51820"), std::string::npos);
  }
  EXPECT_FALSE(Endpoint::of(std::string_view("192.0.2.7\0:51820", 16)).ok());
  EXPECT_FALSE(Endpoint::of(std::string_view("[::1\0]:51820", 12)).ok());
}

}  // namespace
}  // namespace signet::overlay
