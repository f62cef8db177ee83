// Jobs: whatever users, engines, time, failing commits and restarts do, in whatever order, the
// board decides what looking at everything decides, no job is lost or completed twice, no state
// comes about outside the table, and the rows are the board. The input is what happens.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jobs/board_drill_for_test.h"

namespace {
constexpr std::size_t kMostSteps = 400;  // the slow board looks at everything each time
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  signet::jobs::DrillBytes bytes({reinterpret_cast<const char*>(data), size});
  signet::jobs::BoardDrill drill;
  for (std::size_t step = 0; step < kMostSteps && !bytes.empty(); ++step) {
    const std::string fault = drill.step(bytes);
    if (fault.empty()) continue;
    std::fprintf(stderr, "step %zu: %s\n", step, fault.c_str());
    std::abort();
  }
  return 0;
}
