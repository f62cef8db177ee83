// AdminStory is a Story with an admin on its control thread: a test makes a call, as a shard would,
// and gets the answer after all that follows from it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/admin.h"
#include "broker/story_for_test.h"

namespace signet::admin {

class AdminStory : public broker::Story {
 protected:
  AdminStory() {
    admin_options_.operator_token = crypto::SecretText("operator's secret");
    admin_options_.version = "1.2.3";
    admin_options_.git_sha = "abc";
    admin_options_.data_directory = "/";
    admin_options_.min_free_bytes = 0;
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
  }
  // The control thread may still be in a periodic task of the admin.
  ~AdminStory() override {
    control_.stop();
    set_log_level(LogLevel::kInfo);
  }

  void start_admin() {
    start();
    control_.run_and_wait(
        [this] { admin_.emplace(admin_options_, *shared_, control_, *controller_, metrics_); });
    shared_->http = admin_->handler();
  }

  // As a program on this machine sends it, without a credential.
  static broker::HttpCall call_of(const std::string& method, const std::string& path,
                                  const std::string& body = {}) {
    const auto question = path.find('?');
    broker::HttpCall call;
    call.method = method;
    call.path = path.substr(0, question);
    if (question != std::string::npos) call.query = path.substr(question + 1);
    call.host = "127.0.0.1:7900";
    call.body = body;
    call.peer = *net::parse_address("127.0.0.1:4000");
    return call;
  }

  // Fails the test unless there is one answer.
  net::HttpResponse answer(broker::HttpCall call) {
    std::vector<net::HttpResponse> answers;
    call.reply = [&](net::HttpResponse response) { answers.push_back(std::move(response)); };
    admin_->handler()(std::move(call));
    settle();
    EXPECT_EQ(answers.size(), 1U);
    return answers.empty() ? net::HttpResponse{0, "", {}, "no answer"} : answers.front();
  }
  net::HttpResponse answer(const std::string& method, const std::string& path,
                           const std::string& body = {}) {
    return answer(call_of(method, path, body));
  }
  // The operator's own call below /api/signet/v1.
  net::HttpResponse operate(const std::string& method, const std::string& path,
                            const std::string& body = {}) {
    broker::HttpCall call = call_of(method, "/api/signet/v1" + path, body);
    call.authorization = operator_bearer();
    return answer(std::move(call));
  }

  // What a source shows of its secret.
  static std::string basic(const std::string& source, const std::string& secret) {
    return "Basic " + to_base64(bytes_of(source + ":" + secret));
  }
  crypto::SecretText operator_bearer() const {
    return crypto::SecretText("Bearer " + std::string(admin_options_.operator_token.reveal()));
  }

  // Moves time where it is read, so that nobody sees half of a move, and lets what is due run.
  void advance(std::chrono::milliseconds by, std::chrono::milliseconds wall_step = {}) {
    control_.run_and_wait([&] {
      clock_.step_wall(wall_step);
      clock_.advance(by);
    });
    settle();
  }

  static std::string header(const net::HttpResponse& response, const std::string& name) {
    for (const auto& [each, value] : response.headers) {
      if (each == name) return value;
    }
    return "none";
  }

  AdminOptions admin_options_;
  std::optional<Admin> admin_;
};

}  // namespace signet::admin
