// WireGuard's configuration: whatever text the reader takes is written to one that reads to the
// same, and whatever typed values the writer takes read back as they were; it takes those that hold
// what is promised, and no others.
//   input: a text; the same bytes as values
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "overlay/wireguard_config.h"
#include "overlay/wireguard_drill_for_test.h"

namespace {

using namespace signet;
using namespace signet::overlay;

void check(bool holds) {
  if (!holds) std::abort();
}

// No line of it is anything but a section, a key of the page, or empty.
void check_lines(std::string_view text) {
  constexpr std::string_view kBeginnings[] = {"[Interface]\n",
                                              "[Peer]\n",
                                              "Address = ",
                                              "ListenPort = ",
                                              "PrivateKey = ",
                                              "PublicKey = ",
                                              "AllowedIPs = ",
                                              "Endpoint = ",
                                              "PresharedKey = ",
                                              "PersistentKeepalive = ",
                                              "\n"};
  while (!text.empty()) {
    bool known = false;
    for (const std::string_view beginning : kBeginnings) known |= text.starts_with(beginning);
    check(known);
    const std::size_t end = text.find('\n');
    check(end != std::string_view::npos);
    text.remove_prefix(end + 1);
  }
}

void check_read(std::string_view text) {
  const auto read = read_wireguard(text);
  if (!read.ok()) {
    check(read.error().code == ErrorCode::kMalformed && read.error().detail.starts_with("line "));
    return;
  }
  const WireGuardForm form = read->address == 0 ? WireGuardForm::kSync : WireGuardForm::kQuick;
  const auto written = write(*read, form);
  check(written.ok());
  check_lines(written->text());
  const auto again = read_wireguard(written->text());
  check(again.ok() && is_same(*again, *read, form));
  const auto twice = write(*again, form);
  check(twice.ok() && twice->text() == written->text());
}

void check_written(std::string_view bytes) {
  DrawnBytes drawn(bytes);
  const WireGuardConfig config = drawn_config(drawn);
  for (const WireGuardForm form : {WireGuardForm::kQuick, WireGuardForm::kSync}) {
    const auto written = write(config, form);
    check(written.ok() == is_sound_slowly(config, form));
    if (!written.ok()) continue;
    check_lines(written->text());
    const auto read = read_wireguard(written->text());
    check(read.ok() && is_same(*read, config, form));
  }
}

void check_endpoint(std::string_view text) {
  const auto endpoint = Endpoint::of(text);
  if (!endpoint.ok()) return;
  check(endpoint->is_sound());
  const auto again = Endpoint::of(endpoint->text());
  check(again.ok() && *again == *endpoint && again->text() == endpoint->text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_read(text);
  check_written(text);
  check_endpoint(text);
  return 0;
}
