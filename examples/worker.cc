// worker KEY_FILE BROKER_URL MESH MEMBER STATE_FILE: answers every direct message with its length,
// one at a time. Killed at any moment it loses none: what was not confirmed is read again by the
// next start, and an answer that was queued is sent once.
#include <signet/client.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

std::atomic<bool> stopping{false};

int fail(const signet::Error& error) {
  std::fprintf(stderr, "worker: %s\n", error.detail.c_str());
  return 1;
}

signet::Status work(signet::Client& client, const signet::Message& message) {
  if (!message.sealed || !message.text) return signet::Done{};  // nobody's word: no work
  const std::string answer = std::to_string(message.text->size()) + " bytes";
  SIGNET_TRY([[maybe_unused]] const std::string ticket,
             client.send({.to = message.sender_key, .text = answer}));
  return client.confirm({message.id});  // only now: the answer is in the outbox, on disk
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: worker KEY_FILE BROKER_URL MESH MEMBER STATE_FILE\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { stopping = true; });
  std::signal(SIGTERM, [](int) { stopping = true; });
  auto identity = signet::Identity::from_file(argv[1]);
  if (!identity.ok()) return fail(identity.error());
  auto client = signet::Client::open(
      {.membership = {argv[2], argv[3], "", argv[4], *std::move(identity)}, .state_file = argv[5]});
  if (!client.ok()) return fail(client.error());
  while (!stopping) {
    const auto messages = (*client)->read(1, 1s);
    if (!messages.ok()) return fail(messages.error());
    for (const signet::Message& message : *messages) {
      const signet::Status done = work(**client, message);
      if (!done.ok()) return fail(done.error());
    }
  }
  return 0;
}
