#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace signet::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kMaxAcceptsPerTurn = 64;           // those who are in already have a turn in between
constexpr std::chrono::milliseconds kRest{100};  // after a failure that is likely to last

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const PeerAddress& address) {
  SocketAddress result;
  if (address.is_ipv4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.ip.data() + 12, 4);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, address.ip.data(), 16);
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.size = sizeof v6;
  }
  return result;
}

PeerAddress from_socket_address(const SocketAddress& address) {
  PeerAddress result;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address.storage, sizeof v4);
    result.ip[10] = result.ip[11] = 0xff;
    std::memcpy(result.ip.data() + 12, &v4.sin_addr, 4);
    result.port = ntohs(v4.sin_port);
  } else {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address.storage, sizeof v6);
    std::memcpy(result.ip.data(), &v6.sin6_addr, 16);
    result.port = ntohs(v6.sin6_port);
  }
  return result;
}

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void set_option(int descriptor, int level, int option) {
  const int on = 1;
  ::setsockopt(descriptor, level, option, &on, sizeof on);
}

}  // namespace

Result<Listening> open_listening(const PeerAddress& address) {
  const auto failed = [&](const char* what) {
    return Error{ErrorCode::kUnavailable,
                 std::string(what) + " " + address.text() + ": " + std::strerror(errno)};
  };
  const int family = address.is_ipv4() ? AF_INET : AF_INET6;
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failed("no socket for");
  TcpSocket owner(descriptor);
  set_option(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (family == AF_INET6) set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);

  SocketAddress wanted = to_socket_address(address);
  if (::bind(descriptor, wanted.get(), wanted.size) != 0) return failed("can't bind");
  if (::listen(descriptor, kBacklog) != 0) return failed("can't listen on");
  SocketAddress real;
  if (::getsockname(descriptor, real.get(), &real.size) != 0) return failed("no name for");
  return Listening{owner.release(), from_socket_address(real)};
}

Listener::Listener(const NetOptions& options, NetMetrics& metrics, const TrustedProxies& trusted,
                   std::size_t shards, Shard& home, Poller& poller, Shards all)
    : metrics_(metrics),
      trusted_(trusted),
      home_(home),
      poller_(poller),
      shards_(std::move(all)),
      admission_(options, shards),
      random_(std::random_device{}()),
      reserve_(open_reserve()) {}

Listener::~Listener() {
  stop();
  if (reserve_ >= 0) ::close(reserve_);
}

void Listener::add(int descriptor, Door door) { open_entrance({descriptor, door, nullptr}); }

void Listener::add_local(std::shared_ptr<LocalSocket> socket) {
  const int descriptor = socket->descriptor();
  open_entrance({descriptor, Door::kPublic, std::move(socket)});
}

void Listener::open_entrance(Entrance entrance) {
  entrances_.push_back(std::move(entrance));
  if (!resting_) poller_.add(entrances_.back().descriptor, EPOLLIN, entrances_.size());
}

void Listener::stop() {
  for (const Entrance& entrance : entrances_) {
    if (!entrance.local) ::close(entrance.descriptor);
  }
  entrances_.clear();
}

void Listener::on_ready(std::uint64_t tag) {
  if (tag == Poller::kWakeTag || tag > entrances_.size()) return;
  const Entrance& entrance = entrances_[tag - 1];
  for (int i = 0; i < kMaxAcceptsPerTurn && !resting_; ++i) {
    if (!accept_one(entrance)) return;
  }
}

// Answers whether there may be more to accept.
bool Listener::accept_one(const Entrance& entrance) {
  SocketAddress from;
  const int accepted =
      ::accept4(entrance.descriptor, from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    TcpSocket socket(accepted);
    if (entrance.local) {
      welcome_local(std::move(socket));
    } else {
      set_option(accepted, IPPROTO_TCP, TCP_NODELAY);
      welcome(std::move(socket), from_socket_address(from), entrance.door);
    }
    return true;
  }
  switch (errno) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
      on_no_descriptors(entrance.descriptor);
      return true;
    case ENOBUFS:
    case ENOMEM:
      rest_a_while();
      return false;
    default:
      return true;  // an error of that one connection, which is gone
  }
}

// The rights of the file keep other users out; this holds also where those were changed.
void Listener::welcome_local(TcpSocket socket) {
  PeerAddress peer;
  peer.local_user = user_of_peer(socket.descriptor());
  if (!peer.local_user || !may_administer(*peer.local_user)) {
    return refuse(Refused::kOtherUser, &peer);
  }
  welcome(std::move(socket), peer, Door::kPublic);
}

void Listener::welcome(TcpSocket socket, const PeerAddress& peer, Door door) {
  const auto answer =
      admission_.admit(peer, static_cast<std::uint32_t>(random_()), trusted_.trusts(peer));
  if (answer.refused) {
    socket.reset_on_close();
    return refuse(*answer.refused, &peer);
  }
  metrics_.accepted.add();
  shards_.hand_over(answer.shard, std::move(socket), peer, door);
  if (!answer.displaces_in) return;
  shards_.end_one_unproven(*answer.displaces_in);
  refuse(Refused::kUnproven, nullptr);
}

// Leaving the peer in the backlog would wake this thread for ever; so it is taken in with the
// descriptor that is kept for that, and sent away.
void Listener::on_no_descriptors(int descriptor) {
  if (reserve_ < 0) reserve_ = open_reserve();
  if (reserve_ < 0) return rest_a_while();
  ::close(reserve_);
  const int accepted = ::accept4(descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    TcpSocket(accepted).reset_on_close();
    refuse(Refused::kDescriptors, nullptr);
  }
  reserve_ = open_reserve();
  // Another thread was faster: without a reserve, accepting can only fail.
  if (reserve_ < 0 || accepted < 0) rest_a_while();
}

void Listener::rest_a_while() {
  if (resting_) return;
  resting_ = true;
  for (const Entrance& entrance : entrances_) poller_.remove(entrance.descriptor);
  home_.after(kRest, [this] { watch(); });
}

void Listener::watch() {
  resting_ = false;
  if (reserve_ < 0) reserve_ = open_reserve();
  for (std::size_t i = 0; i < entrances_.size(); ++i) {
    poller_.add(entrances_[i].descriptor, EPOLLIN, i + 1);
  }
}

void Listener::refuse(Refused reason, const PeerAddress* peer) {
  metrics_.refused[reason].add();
  const auto repeated = refused_log_.take(reason, home_.now());
  if (!repeated) return;
  log(LogLevel::kWarn, "net.refused",
      {{"reason", name_of(reason)},
       {"repeated", *repeated},
       {"peer", peer != nullptr ? peer->text() : std::string()}});
}

void Listener::note(const std::vector<Departure>& departures) {
  for (const Departure& departure : departures) admission_.note(departure);
}

}  // namespace signet::net
