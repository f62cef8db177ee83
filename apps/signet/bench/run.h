// BenchRun drives a running broker: it joins its peers, connects them, lets them send and receive
// in one thread and one poll loop, and says what came of it. A person may interrupt it at any time.
#pragma once

#include <memory>
#include <vector>

#include "client/url.h"
#include "signet/bench/figures.h"
#include "signet/bench/live_line.h"
#include "signet/bench/peer.h"
#include "signet/client.h"

namespace signet::cli {

class BenchRun {
 public:
  BenchRun(BenchPlan plan, TlsTrust trust);
  ~BenchRun();

  // Everything that is not measured: joins, connections, keys, the channel.
  // Fails as join() and a hello do, and kUnavailable when the broker can't be reached.
  Status prepare();
  // Until everything came, nothing comes any more, nobody is connected, or it is interrupted.
  void measure();
  // Ends the connections. The figures are whole then.
  void finish();

  const BenchFigures& figures() const { return figures_; }

 private:
  Status join_all();
  Result<Membership> join_one(std::uint32_t number, Elapsed give_up);
  Error join_failure(const Error& error) const;
  Status hand_out_keys();
  Status connect_all();
  Status connect_some(Elapsed now);
  Status connect_one(std::size_t peer, Elapsed now);
  Status enter_channel();

  // One turn: writes what waits, sleeps at most so long, reads what came.
  void step(std::chrono::milliseconds most);
  std::chrono::milliseconds sleep_time(Elapsed now, bool has_more) const;
  bool is_over(Elapsed now);
  bool is_complete() const;
  bool is_anybody_connected() const;
  void notice_progress(Elapsed now);
  std::size_t count_of(bool (BenchPeer::*is_so)() const) const;

  const TlsTrust trust_;
  client::Url url_;
  BenchFigures figures_;
  BenchMesh mesh_;
  std::vector<std::unique_ptr<BenchPeer>> peers_;
  std::vector<Elapsed> connect_at_;  // of each peer: not earlier
  LiveLine live_;

  std::vector<net::Watch> watches_;  // of one turn
  std::vector<BenchPeer*> watched_;  // whose each is
  Elapsed progress_;                 // when something came last
  std::uint64_t known_ = 0;          // how much had come then
  std::optional<Elapsed> end_at_;    // all came, or it was interrupted: only a little longer
};

}  // namespace signet::cli
