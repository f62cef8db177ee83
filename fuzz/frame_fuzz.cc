// WebSocket frames: any split of the bytes gives the same events as all of them at once, which are
// those of the slow reader; for both roles.
//   input: role and limits (1 byte), step of the cuts (1 byte), the stream
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "wire/slow_frame_reader.h"

namespace {

using namespace signet::wire;

void check(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::size_t> cuts_of(std::size_t size, std::uint8_t seed) {
  std::vector<std::size_t> cuts;
  std::uint32_t state = seed;
  for (std::size_t at = 0;; cuts.push_back(at)) {
    state = state * 1'103'515'245 + 12'345;
    at += (state >> 16) % (seed % 32U + 2);  // steps of nothing are cuts too
    if (at >= size || cuts.size() > 4 * size) return cuts;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Role role = (data[0] & 1) != 0 ? Role::kClient : Role::kServer;
  FrameLimits limits;
  if ((data[0] & 2) != 0) limits.max_message_bytes = 300;
  if ((data[0] & 4) != 0) limits.max_fragments = 4;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const FrameTrace whole = read_frames(bytes, role, limits, {});
  check(read_frames(bytes, role, limits, cuts_of(bytes.size(), data[1])) == whole);
  check(read_frames(bytes, role, limits, cuts_of(bytes.size(), 0)) == whole);
  if (bytes.size() < 4'096) check(read_frames_slowly(bytes, role, limits) == whole);
  return 0;
}
