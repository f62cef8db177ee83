// listen INVITE NAME COUNT [CHANNEL]: joins as NAME and prints the next COUNT messages as they
// come.
#include <signet/client.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace {

using namespace std::chrono_literals;

int fail(const signet::Error& error) {
  std::fprintf(stderr, "listen: %s\n", error.detail.c_str());
  return 1;
}

const char* name_of(signet::MessageKind kind) {
  switch (kind) {
    case signet::MessageKind::kDirect:
      return "direct";
    case signet::MessageKind::kBroadcast:
      return "broadcast";
    case signet::MessageKind::kChannel:
      return "channel";
    case signet::MessageKind::kUnknown:
      break;
  }
  return "unknown";
}

void show(const signet::Message& message) {
  const std::string text = message.text ? "\"" + *message.text + "\"" : "no text, " + message.why;
  std::printf("%s %s from %s: %s\n", name_of(message.kind),
              message.sealed ? "sealed" : "NOT SEALED",
              message.sender_name.empty() ? message.sender_key.substr(0, 12).c_str()
                                          : message.sender_name.c_str(),
              text.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: listen INVITE NAME COUNT [CHANNEL]\n");
    return 2;
  }
  auto membership = signet::join(argv[1], argv[2], signet::Identity::generate(), 5s);
  if (!membership.ok()) return fail(membership.error());
  std::printf("key %s\n", membership->identity.public_key().c_str());

  std::mutex mutex;
  std::condition_variable came;
  long left = std::strtol(argv[3], nullptr, 10);
  // The handler runs on the client's thread; the message is confirmed when it returns.
  const auto on_message = [&](const signet::Message& message) {
    show(message);
    const std::lock_guard lock(mutex);
    --left;
    came.notify_one();
  };
  auto client =
      signet::Client::open({.membership = *std::move(membership)}, {.on_message = on_message});
  if (!client.ok()) return fail(client.error());
  const signet::Status connected = (*client)->wait_connected(5s);
  if (!connected.ok()) return fail(connected.error());
  if (argc > 4) {
    const signet::Status joined = (*client)->join_channel(argv[4], 5s);
    if (!joined.ok()) return fail(joined.error());
  }
  std::printf("ready\n");
  std::fflush(stdout);
  std::unique_lock lock(mutex);
  const bool all = came.wait_for(lock, 60s, [&] { return left <= 0; });
  lock.unlock();  // the handler may want it while the client ends
  client->reset();
  return all ? 0 : 1;
}
