#include "hub_guards.h"

#include <array>
#include <filesystem>
#include <semaphore>
#include <variant>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/hash.h"
#include "dialects/hub.h"
#include "guard_time.h"
#include "hub_protocol.h"
#include "store/store.h"
#include "trust/signed_action.h"

namespace signet::bench {
namespace {

constexpr WallTime kNow{1'800'000'000'000};
constexpr std::size_t kFillerBytes = 256;
constexpr std::string_view kKey =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";  // as a session's is
constexpr std::string_view kNonce = "0123456789abcdef0123456789abcdef";
constexpr std::chrono::minutes kRemembered{5};
constexpr std::size_t kUsers = 100;
constexpr std::size_t kSpends = 20'000;
constexpr std::size_t kInFlight = 100;

crypto::Digest16 digest_of(std::string_view nonce) {
  return crypto::digest16("signet-hub-nonce-v1", {"user", "", nonce});
}

Status write_checks(wire::JsonWriter& row) {
  std::string event = R"(["action",)";
  append_action(event, kKey, kNonce, kNow, 0, std::string(kFillerBytes, 'x'));
  event.append("]");

  dialects::HubReader reader;
  row.key("hub_read_action_ns").value(nanoseconds_of([&](std::uint64_t) {
    return reader.read_user(event).index();
  }));
  const auto verb = reader.read_user(event);
  const auto* action = std::get_if<dialects::HubAction>(&verb);
  const trust::ActionRules rules;
  if (action == nullptr || trust::check_action(action->claim, {kKey}, kNow, rules)) {
    return Error{ErrorCode::kBug, "a good action is refused"};
  }
  row.key("hub_check_action_ns").value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{trust::check_action(action->claim, {kKey}, kNow, rules).has_value()};
  }));
  row.key("hub_name_nonce_ns").value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{digest_of(kNonce)[0]};
  }));
  row.key("hub_session_key_ns").value(nanoseconds_of([&](std::uint64_t i) {
    return trust::session_action_key(kKey, "user", std::to_string(i)).reveal().size();
  }));
  return Done{};
}

// NonceSpender keeps so many nonces of different users unanswered, as their actions do.
class NonceSpender {
 public:
  explicit NonceSpender(store::Store& store) : store_(store) {}

  // False when one was not new.
  bool run() {
    for (std::size_t i = 0; i < kInFlight; ++i) spend();
    while (answered_ < kSpends) {
      posted_.acquire();
      mailbox_.drain();
    }
    return all_new_;
  }

 private:
  void spend() {
    if (asked_ == kSpends) return;
    const std::size_t number = asked_++;
    const auto user = static_cast<std::int64_t>(number % kUsers) + 1;
    store_.spend_nonce(
        {{user}, digest_of(std::to_string(number)), system_clock().wall() + kRemembered}, mailbox_,
        [this](store::NonceOutcome outcome) {
          ++answered_;
          all_new_ = all_new_ && outcome == store::NonceOutcome::kNew;
          spend();
        });
  }

  store::Store& store_;
  std::counting_semaphore<> posted_{0};
  Mailbox mailbox_{[this] { posted_.release(); }};
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  bool all_new_ = true;
};

// The CPU time of all threads: most of it is the store's own.
Status write_nonces(const std::string& folder, wire::JsonWriter& row) {
  set_log_level(LogLevel::kWarn);
  MetricRegistry metrics;
  store::StoreOptions options;
  options.directory = folder + "/nonces";
  SIGNET_TRY(auto store, store::open_sqlite(options, system_clock(), metrics));
  static_cast<void>(store->membership_at_start());
  store->start([](const std::shared_ptr<const store::DeliveryBatch>&) {});
  NonceSpender spender(*store);
  const auto from = cpu_time_by(CLOCK_PROCESS_CPUTIME_ID);
  const bool all_new = spender.run();
  const auto spent = cpu_time_by(CLOCK_PROCESS_CPUTIME_ID) - from;
  store.reset();
  std::error_code ignored;
  std::filesystem::remove_all(options.directory, ignored);
  if (!all_new) return Error{ErrorCode::kBug, "a new nonce is refused"};
  row.key("hub_spend_nonce_ns")
      .value(rounded(static_cast<double>(spent.count()) / static_cast<double>(kSpends)));
  return Done{};
}

}  // namespace

Status write_hub_guards(const std::string& folder, wire::JsonWriter& row) {
  SIGNET_TRY([[maybe_unused]] const Done checked, write_checks(row));
  return write_nonces(folder, row);
}

}  // namespace signet::bench
