#include "signetd/overlay_options.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>

#include "base/encoding.h"
#include "signetd/overlay_doors.h"

namespace signet {
namespace {

using overlay::Score;

constexpr std::int32_t kPermillePerPercent = 10;

Result<Score> score(std::string_view name, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const auto found = whole ? Score::from(value) : std::nullopt;
  if (!found) {
    return Error{ErrorCode::kMalformed,
                 std::string(name) + ": \"" + text + "\" is no score: write 0 to 1, as 0.70"};
  }
  return *found;
}

// A weight of 1 is a million, so that six decimals hold.
Status read_weights(const config::Config& config, overlay::RuleParameters& rule) {
  for (const std::string& entry : config.list("overlay.weights")) {
    SIGNET_TRY(const auto weight, pair_of("overlay.weights", entry));
    SIGNET_TRY(const Score value, score("overlay.weights", weight.second));
    const auto millionths = static_cast<std::uint32_t>(value.millionths);
    if (!rule.weights.emplace(weight.first, millionths).second) {
      return Error{ErrorCode::kMalformed, "overlay.weights: " + weight.first + " is there twice"};
    }
  }
  return Done{};
}

Result<overlay::RuleParameters> rule(const config::Config& config) {
  overlay::RuleParameters rule;
  const auto read = [&](const char* name, const std::string& text, Score& into) -> Status {
    SIGNET_TRY(into, score(name, text));
    return Done{};
  };
  struct Row {
    const char* name;
    const std::string& text;
    Score& into;
  };
  const std::string& back = config.text("overlay.return_threshold");
  const Row rows[] = {
      {"overlay.threshold", config.text("overlay.threshold"), rule.threshold},
      {"overlay.drift_slack", config.text("overlay.drift_slack"), rule.drift_slack},
      {"overlay.drift_limit", config.text("overlay.drift_limit"), rule.drift_limit},
      {"overlay.per_failed_proof", config.text("overlay.per_failed_proof"), rule.per_failed_proof},
      {"overlay.per_replay", config.text("overlay.per_replay"), rule.per_replay},
      {"overlay.per_lost_lease", config.text("overlay.per_lost_lease"), rule.per_lost_lease},
  };
  for (const Row& row : rows) {
    SIGNET_TRY([[maybe_unused]] const Done good, read(row.name, row.text, row.into));
  }
  if (!back.empty()) {
    SIGNET_TRY(rule.return_threshold, score("overlay.return_threshold", back));
  }
  const auto small = [](std::int64_t number) { return static_cast<std::uint32_t>(number); };
  const auto permille = [](std::int64_t percent) {
    return static_cast<std::int32_t>(percent) * kPermillePerPercent;
  };
  rule.max_age = config.duration("overlay.max_age");
  rule.smoothing_permille = permille(config.integer("overlay.smoothing_percent"));
  rule.decay_permille = permille(config.integer("overlay.decay_percent"));
  rule.dwell_epochs = small(config.integer("overlay.dwell_epochs"));
  rule.probation_epochs = small(config.integer("overlay.probation_epochs"));
  rule.drift_samples = small(config.integer("overlay.drift_samples"));
  for (const std::string& name : config.list("overlay.only")) rule.listed.insert(name);
  rule.only_listed = !rule.listed.empty();
  SIGNET_TRY([[maybe_unused]] const Done weighed, read_weights(config, rule));
  if (const Status good = check(rule); !good.ok()) {
    return Error{good.error().code, "overlay: " + good.error().detail};
  }
  return rule;
}

Error bad_operators(std::string detail) {
  return {ErrorCode::kMalformed, "operators." + std::move(detail)};
}

Result<controller::OperatorOptions> operator_options(const config::Config& config) {
  controller::OperatorOptions options;
  options.needed = config.size("operators.needed");
  options.emergency = config.flag("operators.emergency");
  options.longest_life = config.duration("operators.longest_life");
  for (const std::string& text : config.list("operators.keys")) {
    const auto key = crypto::public_key_from_hex(text);
    if (!key || !crypto::is_enrollable(*key)) {
      return bad_operators("keys: \"" + text + "\" is no public key: 64 hex digits, as " +
                           "`signet keygen` prints them");
    }
    const bool is_twice =
        std::find(options.keys.begin(), options.keys.end(), *key) != options.keys.end();
    if (is_twice) return bad_operators("keys: " + crypto::to_hex(*key) + " is there twice");
    options.keys.push_back(*key);
  }
  const std::size_t count = options.keys.size();
  if (count > 0 && options.needed > count) {
    return bad_operators("needed: " + std::to_string(options.needed) + " can't sign where " +
                         std::to_string(count) + " are in operators.keys");
  }
  return options;
}

}  // namespace

Result<controller::OverlayOptions> overlay_options(const config::Config& config) {
  controller::OverlayOptions options;
  SIGNET_TRY(options.rule, rule(config));
  SIGNET_TRY(options.operators, operator_options(config));
  const auto subnet = overlay::Subnet::of(config.text("overlay.subnet"));
  if (!subnet.ok()) {
    return Error{subnet.error().code, "overlay.subnet: " + subnet.error().detail};
  }
  options.subnet = *subnet;
  options.submissions.max_age = config.duration("overlay.max_age");
  options.submissions.max_ahead = config.duration("overlay.max_ahead");
  options.submissions.allow_unsigned = config.flag("overlay.allow_unsigned");
  options.epochs.length = config.duration("overlay.epoch");
  options.epochs.switch_ahead = config.duration("overlay.switch_ahead");
  options.epochs.grace = config.duration("overlay.key_grace");
  options.nodes = config.size("overlay.nodes");
  SIGNET_TRY(options.doors, overlay_doors(config));
  options.nodes_per_owner = config.size("overlay.nodes_per_owner");
  constexpr double kSecondsPerMinute = 60;
  options.submissions_per_second =
      static_cast<double>(config.integer("overlay.submissions_per_minute")) / kSecondsPerMinute;
  options.submissions_burst = static_cast<double>(config.integer("overlay.submissions_burst"));
  options.report_retention = config.duration<std::chrono::hours>("overlay.retention");
  options.mass_denial_permille =
      static_cast<std::uint32_t>(config.integer("overlay.mass_denial_percent")) *
      static_cast<std::uint32_t>(kPermillePerPercent);
  return options;
}

Result<std::optional<std::array<unsigned char, 32>>> overlay_key(const config::Config& config) {
  const std::string_view text = config.secret("overlay.key").reveal();
  std::optional<std::array<unsigned char, 32>> key;
  if (text.empty()) return key;
  key.emplace();
  if (!from_hex(text, *key)) {
    return Error{ErrorCode::kMalformed,
                 "overlay.key: 64 hex digits are wanted, as `openssl rand -hex 32` makes them"};
  }
  return key;
}

std::string status_file_path(const config::Config& config) {
  const std::filesystem::path name = config.text("overlay.status_file");
  if (name.empty() || name.has_parent_path()) return name.string();
  return (std::filesystem::path(config.text("server.data")) / name).string();
}

admin::OverlayDeskOptions overlay_desk_options(const config::Config& config, bool dev) {
  admin::OverlayDeskOptions options;
  options.requests_per_second =
      static_cast<double>(config.integer("overlay.address_requests_per_second"));
  options.registrations_per_minute =
      static_cast<double>(config.integer("overlay.registrations_per_minute"));
  options.open = dev;
  return options;
}

}  // namespace signet
