// greet INVITE TO TEXT: joins with a fresh key, sends one message, and waits until TO has it.
#include <signet/client.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

int fail(const signet::Error& error) {
  std::fprintf(stderr, "greet: %s\n", error.detail.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: greet INVITE TO TEXT\n");
    return 2;
  }
  auto membership = signet::join(argv[1], "greeter", signet::Identity::generate(), 5s);
  if (!membership.ok()) return fail(membership.error());
  auto client = signet::Client::open({.membership = *std::move(membership)});
  if (!client.ok()) return fail(client.error());

  const auto to = (*client)->find(argv[2], 5s);  // a name becomes a key, and stays that key
  if (!to.ok()) return fail(to.error());
  const auto ticket = (*client)->send({.to = *to, .text = argv[3], .receipts = true});
  if (!ticket.ok()) return fail(ticket.error());
  const auto report = (*client)->wait_sent(*ticket, signet::SendState::kReceived, 10s);
  if (!report.ok()) return fail(report.error());
  if (report->state == signet::SendState::kRefused) {
    std::fprintf(stderr, "greet: refused, %s\n", report->why.c_str());
    return 1;
  }
  std::printf("received by %s\n", report->by.empty() ? "nobody yet" : report->by.front().c_str());
  return 0;
}
