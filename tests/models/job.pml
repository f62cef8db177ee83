/* The life of jobs between a broker that dies and comes back, its store, and two engines that stall,
 * go away, come back and answer late: src/jobs with nothing but what matters left. spin searches all
 * of it; `check` runs it.
 *
 * What the broker decides, commits and tells is one step here: a step that is not committed is told
 * to nobody (Effects in src/jobs/job_board.h), so it is no step. What an engine says may come at any
 * time later, in any order, or never, also after it lost the lease, was away, or the broker died.
 *
 * Shown of every run there is:
 *   - it ends, and then each job is completed or failed: none is lost;
 *   - no job is completed twice;
 *   - a result counts only under the latest lease, and only while that lease is in force;
 *   - no state follows another but by the table, and an engine has one job at a time.
 *
 * Each of -DNO_FENCE, -DNO_STATE, -DNO_TIMEOUT and -DNO_REQUEUE leaves out one thing that the broker
 * does, and is found wrong.
 */

/* Two jobs that compete, or, with -DONE_JOB, a longer life of one beside one that is done. */
#define JOBS 2
#define ENGINES 2
#define NOBODY 2
#ifdef ONE_JOB
#define RETRIES 2     /* of a timeout, or an engine that went away */
#define MOST_LEASES 4 /* of a job, crashes included */
#define CRASHES 2     /* so often the broker dies */
#define ABSENCES 2    /* so often an engine goes away with a job */
#else
#define RETRIES 1
#define MOST_LEASES 2
#define CRASHES 1
#define ABSENCES 1
#endif

mtype = { queued, dispatched, running, completed, failed };

/* A row of the store. `holder` is only the broker's memory, and `results` only ours. */
typedef Job {
  mtype state;
  byte fence;
  byte retries;
  byte holder;
  byte results /* that counted */
}
Job jobs[JOBS];

/* Leases that an engine was told of and may speak for still, one bit each: it does not hear that it
 * lost one, and it may be given the same job again. */
typedef Engine {
  byte leases[JOBS];
  bool connected
}
Engine engines[ENGINES];

byte crashes;
byte absences;

#define under_way(j) (jobs[j].state == dispatched || jobs[j].state == running)
#define finished(j) (jobs[j].state == completed || jobs[j].state == failed)
#define has(e, j) (jobs[j].holder == e && under_way(j))
#define has_job(e) (has(e, 0) || has(e, 1))
#define may_speak(e, j, lease) (engines[e].connected && (engines[e].leases[j] & (1 << lease)))

#ifdef NO_FENCE
#define holds(e, j, lease) (jobs[j].holder == e)
#else
#define holds(e, j, lease) (jobs[j].holder == e && jobs[j].fence == lease)
#endif

#ifdef NO_STATE
#define may_complete(j) (true)
#else
#define may_complete(j) (jobs[j].state == running)
#endif

/* The table of what may follow what. */
inline change(j, to) {
  assert((jobs[j].state == queued && (to == dispatched || to == failed)) ||
         (jobs[j].state == dispatched && (to == running || to == failed || to == queued)) ||
         (jobs[j].state == running && (to == completed || to == failed || to == queued)));
  jobs[j].state = to
}

/* A lease ends without a word of its engine. */
inline lose(j) {
  if
  :: jobs[j].retries < RETRIES && jobs[j].fence < MOST_LEASES ->
    jobs[j].retries++;
    change(j, queued)
  :: else -> change(j, failed)
  fi;
  jobs[j].holder = NOBODY
}

inline give(j, e) {
  assert(!has_job(e));
  jobs[j].fence++;
  jobs[j].holder = e;
  change(j, dispatched);
  engines[e].leases[j] = engines[e].leases[j] | (1 << jobs[j].fence)
}

inline forget(e, j, lease) { engines[e].leases[j] = engines[e].leases[j] & ~(1 << lease) }

/* What an engine says that was given a lease. Who has a job keeps it in memory once it is finished,
 * to know a repeated word from a late one. */
inline speak(e, j, lease) {
  if
  :: holds(e, j, lease) && jobs[j].state == dispatched -> change(j, running)
  :: true -> /* it is done */
    if
    :: holds(e, j, lease) && may_complete(j) ->
      assert(jobs[j].fence == lease); /* of the latest lease */
      assert(jobs[j].results == 0);   /* the first one */
      assert(jobs[j].state == running);
      change(j, completed);
      jobs[j].results++
    :: else -> forget(e, j, lease) /* refused; else it may say so again */
    fi
  :: true -> /* it could not */
    if
    :: holds(e, j, lease) && under_way(j) -> change(j, failed)
    :: else -> skip
    fi;
    forget(e, j, lease)
  :: true -> forget(e, j, lease) /* it stalls for ever */
  fi
}

/* An engine and the broker's end of its connection. */
proctype engine(byte e) {
  byte j;
end:
  do
  :: atomic { !engines[e].connected -> engines[e].connected = true }
  :: atomic { /* away, or silent, with a job; whatever it works on it may go on with */
       absences < ABSENCES && engines[e].connected && has_job(e) ->
       absences++;
       engines[e].connected = false;
       for (j : 0 .. JOBS - 1) {
         if
         :: has(e, j) -> lose(j)
         :: else -> skip
         fi
       }
       j = 0
     }
  od
}

proctype job(byte j; byte e) {
end:
  do
  :: atomic { jobs[j].state == queued && engines[e].connected && !has_job(e) -> give(j, e) }
  :: atomic { may_speak(e, j, 1) -> speak(e, j, 1) }
  :: atomic { may_speak(e, j, 2) -> speak(e, j, 2) }
#if MOST_LEASES > 2
  :: atomic { may_speak(e, j, 3) -> speak(e, j, 3) }
  :: atomic { may_speak(e, j, 4) -> speak(e, j, 4) }
#endif
  od
}

/* A lease runs out, of which only the memory knows when; the broker dies and comes back. */
proctype broker() {
  byte j;
end:
  do
#ifndef NO_TIMEOUT
  :: atomic { under_way(0) && jobs[0].holder != NOBODY -> lose(0) }
  :: atomic { under_way(1) && jobs[1].holder != NOBODY -> lose(1) }
#endif
  :: atomic {
       crashes < CRASHES ->
       crashes++;
       engines[0].connected = false;
       engines[1].connected = false;
       for (j : 0 .. JOBS - 1) {
         jobs[j].holder = NOBODY;
         if
#ifndef NO_REQUEUE
         :: under_way(j) && jobs[j].fence < MOST_LEASES -> change(j, queued) /* no retry */
         :: under_way(j) && jobs[j].fence >= MOST_LEASES -> change(j, failed)
#endif
         :: else -> skip
         fi
       }
       j = 0
     }
  od
}

init {
  atomic {
    jobs[0].state = queued;
#ifdef ONE_JOB
    jobs[1].state = completed;
#else
    jobs[1].state = queued;
#endif
    jobs[0].holder = NOBODY;
    jobs[1].holder = NOBODY;
    run engine(0);
    run engine(1);
    run job(0, 0);
    run job(0, 1);
    run job(1, 0);
    run job(1, 1);
    run broker()
  }
  /* Nothing more can happen. */
  timeout -> assert(finished(0) && finished(1))
}
