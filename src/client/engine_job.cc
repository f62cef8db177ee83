#include "client/engine_job.h"

#include <utility>

#include "wire/json.h"

namespace signet::client {
namespace {

using dialects::JobStep;

// A result stands three levels deep in its event, and a few values beside it, of which all together
// have the limits of strict JSON.
constexpr wire::JsonLimits kResultLimits{.max_depth = 29, .max_values = 65'500};

Error failure(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  return {code, std::string(stable_code) + ": " + std::string(sentence)};
}

}  // namespace

void JobLine::say(SaidWord word) {
  mailbox_.post([this, word = std::move(word)]() mutable { taken_.push_back(std::move(word)); });
}

std::vector<SaidWord> JobLine::take() {
  mailbox_.drain();
  return std::exchange(taken_, {});
}

HeldJob::HeldJob(std::string id, std::optional<std::uint64_t> lease, std::size_t max_result_bytes,
                 std::shared_ptr<JobLine> line)
    : id_(std::move(id)),
      lease_(lease),
      max_result_bytes_(max_result_bytes),
      line_(std::move(line)) {}

Status HeldJob::start() { return say(JobStep::kStarted, {}); }

Status HeldJob::progress(double percent) {
  const bool is_percent = percent >= 0 && percent <= 100;  // no NaN either
  if (!is_percent) {
    return failure(ErrorCode::kMalformed, "malformed", "progress goes from 0 to 100");
  }
  return say(JobStep::kProgress, wire::JsonWriter().value(percent).take());
}

Status HeldJob::complete(std::string_view json) {
  if (json.size() > max_result_bytes_) {
    return failure(ErrorCode::kMalformed, "text_too_long", "the broker keeps no result this long");
  }
  wire::JsonDocument document;
  if (!json.empty() && !document.parse(json, kResultLimits).ok()) {
    return failure(ErrorCode::kMalformed, "malformed", "a result is strict JSON of 29 levels");
  }
  return say(JobStep::kCompleted, std::string(json));
}

Status HeldJob::fail(std::string_view reason) { return say(JobStep::kFailed, std::string(reason)); }

Status HeldJob::held() const {
  const std::lock_guard lock(mutex_);
  if (over_) return *over_;
  return Done{};
}

void HeldJob::end(Error why) {
  const std::lock_guard lock(mutex_);
  if (!over_) over_ = std::move(why);
}

Status HeldJob::say(JobStep step, std::string text) {
  const std::lock_guard lock(mutex_);
  if (over_) return *over_;
  if (step >= JobStep::kCompleted) {
    over_ = failure(ErrorCode::kConflict, "already_sent", "the job's last word was said");
  }
  line_->say({step, id_, lease_, std::move(text)});
  return Done{};
}

}  // namespace signet::client
