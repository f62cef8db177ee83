/* How the keys of a mesh are switched: a controller that dies and comes back, its store, two nodes
 * whose clocks and polls are as late as can be, and messages that are lost or late: src/overlay's
 * EpochTable and choose() with nothing but what matters left. spin searches all of it; `check` runs
 * it.
 *
 * There is no time in it: whatever waits for a moment may happen at any time once the moment was
 * named, by each clock for itself, and a clock may go back. So no fault is missed because the clocks
 * of a test were too good. What the controller decides, commits and tells is one step; what it knows
 * of the nodes is gone when it dies.
 *
 * Shown of every run there is:
 *   - two nodes that are allowed, and hold what they were offered, each accept what the other uses;
 *   - at most two secrets are alive, and a node is offered none but these;
 *   - epochs rise: what a node uses never goes back, nor does what is current;
 *   - it ends, and then the last epoch's keys are used by all who are allowed, and no other is alive.
 *
 * Each of -DNO_READY, -DNO_USES, -DNO_NEXT, -DGO_BACK, -DKEEP_READY, -DSTAGE_IN_GRACE and
 * -DWAIT_FOR_DENIED gets one thing wrong, and is found wrong.
 */

#define NODES 2
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef LOSSES
#define LOSSES 2 /* messages */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DENIALS
#define DENIALS 1 /* a node is denied, and allowed again later */
#endif
#define NONE 0

mtype = { steady, staged, named, grace };

/* Durable. */
mtype phase = steady;
byte current = 1;
byte other = NONE;
byte decided = 1;
bool alive[EPOCHS + 1]; /* secrets */
bool allowed[NODES];
byte since[NODES]; /* the epoch that allowed it */

/* The controller's memory. */
bool is_ready[NODES];
bool has_used[NODES];

/* A node: what it was offered, and what it uses. */
typedef Node {
  byte current;
  byte other;    /* the next, or the one before */
  bool moment;   /* of the switch was told */
  byte in_use;
  bool holds;    /* the offer, under this admission */
  /* On the way to the controller, and back. */
  bool asks;
  byte says_ready;
  byte says_uses;
  bool answered;
  bool answer_denied;
  byte answer_current;
  byte answer_other;
  bool answer_moment;
  bool answer_holds /* made under the admission that is in force */
}
Node nodes[NODES];

byte losses;
byte crashes;
byte denials;

#define offers_next(n) (nodes[n].other > nodes[n].current)
#define uses(n) nodes[n].in_use
#ifdef NO_NEXT
#define accepts(n, e) ((e) == nodes[n].in_use || ((e) == nodes[n].other && !offers_next(n)))
#else
#define accepts(n, e) ((e) == nodes[n].current || (e) == nodes[n].other || (e) == nodes[n].in_use)
#endif
#define counts(n) (allowed[n] && nodes[n].holds)
#ifdef WAIT_FOR_DENIED
#define is_waited_for(n) true
#else
#define is_waited_for(n) allowed[n]
#endif
#ifdef NO_READY
#define lacks(n) false
#else
#define lacks(n) (is_waited_for(n) && since[n] <= other && !is_ready[n])
#endif
#ifdef NO_USES
#define lags(n) false
#else
#define lags(n) (is_waited_for(n) && !has_used[n])
#endif

/* After every step of anybody. */
inline look() {
  assert(!(counts(0) && counts(1)) || (accepts(0, uses(1)) && accepts(1, uses(0))));
  assert(alive[1] + alive[2] + alive[3] <= 2);
  assert(alive[current]);
  assert(other == NONE || alive[other])
}

inline forget_words() {
  is_ready[0] = false;
  is_ready[1] = false;
  has_used[0] = false;
  has_used[1] = false
}

/* An answer that was made before tells nothing of an admission that came later. */
inline deny(n) {
  allowed[n] = false;
  nodes[n].holds = false;
  nodes[n].answer_holds = false;
  is_ready[n] = false;
  has_used[n] = false
}

proctype controller() {
  byte n;
end:
  do
  :: atomic { /* at a boundary, or at once for a revocation */
       decided < EPOCHS ->
       decided++;
       for (n : 0 .. NODES - 1) {
         if
         :: !allowed[n] ->
           allowed[n] = true;
           since[n] = decided
         :: allowed[n] && denials < DENIALS ->
           denials++;
           deny(n)
         :: allowed[n] -> skip
         fi
       }
       n = 0;
       look()
     }
#ifdef STAGE_IN_GRACE
  :: atomic { (phase == steady || phase == grace) && decided > current ->
#else
  :: atomic { phase == steady && decided > current ->
#endif
       other = decided;
       alive[other] = true;
       phase = staged;
#ifdef KEEP_READY
       has_used[0] = false;
       has_used[1] = false;
#else
       forget_words();
#endif
       look()
     }
  :: atomic { phase == staged && !lacks(0) && !lacks(1) ->
       phase = named;
       look()
     }
  :: atomic { phase == named ->
       phase = grace;
       n = current;
       assert(other > current);
       current = other;
       other = n;
       n = 0;
       look()
     }
  :: atomic { phase == grace && !lags(0) && !lags(1) ->
       alive[other] = false;
       other = NONE;
       phase = steady;
       look()
     }
  :: atomic { crashes < CRASHES ->
       crashes++;
       forget_words()
     }
  od
}

/* The controller hears a node, and answers. */
inline hear(n) {
  if
  :: phase == staged && nodes[n].says_ready == other && allowed[n] -> is_ready[n] = true
  :: else -> skip
  fi;
#ifdef KEEP_READY
  if
  :: nodes[n].says_ready > 1 -> is_ready[n] = true
  :: else -> skip
  fi;
#endif
  if
  :: allowed[n] && ((phase == named && nodes[n].says_uses == other) ||
                    (phase == grace && nodes[n].says_uses == current)) -> has_used[n] = true
  :: else -> skip
  fi;
  nodes[n].asks = false;
  nodes[n].says_ready = NONE;
  nodes[n].says_uses = NONE;
  nodes[n].answered = true;
  nodes[n].answer_denied = !allowed[n];
  nodes[n].answer_holds = allowed[n];
  nodes[n].answer_current = (allowed[n] -> current : NONE);
  nodes[n].answer_other = (allowed[n] -> other : NONE);
  nodes[n].answer_moment = allowed[n] && phase == named
}

inline drop(n) {
  nodes[n].answered = false;
  nodes[n].answer_denied = false;
  nodes[n].answer_holds = false;
  nodes[n].answer_current = NONE;
  nodes[n].answer_other = NONE;
  nodes[n].answer_moment = false
}

inline take(n) {
  if
  :: nodes[n].answer_denied ->
    nodes[n].holds = false;
    nodes[n].current = NONE;
    nodes[n].other = NONE;
    nodes[n].moment = false
  :: else ->
    nodes[n].holds = nodes[n].answer_holds;
    nodes[n].current = nodes[n].answer_current;
    nodes[n].other = nodes[n].answer_other;
    nodes[n].moment = nodes[n].answer_moment;
    /* It switches at once when the controller has, and stays switched when it has itself. */
    if
    :: nodes[n].in_use != nodes[n].other || !offers_next(n) ->
      assert(nodes[n].in_use <= nodes[n].current);
      nodes[n].in_use = nodes[n].current
    :: else -> skip
    fi
  fi;
  drop(n)
}

/* Would asking tell the one or the other anything new? Who asks for nothing goes on for ever, and
 * shows nothing. */
#define has_word(n) \
  (allowed[n] && \
   ((phase == staged && nodes[n].other == other && offers_next(n) && !is_ready[n]) || \
    (phase == named && nodes[n].in_use == other && !has_used[n]) || \
    (phase == grace && nodes[n].in_use == current && !has_used[n])))
#define has_news(n) \
  ((allowed[n] && (!nodes[n].holds || nodes[n].current != current || nodes[n].other != other || \
                   nodes[n].moment != (phase == named))) || \
   (!allowed[n] && nodes[n].current != NONE))

proctype node(byte n) {
end:
  do
  :: atomic { !nodes[n].asks && !nodes[n].answered && (has_word(n) || has_news(n)) ->
       nodes[n].asks = true;
       nodes[n].says_ready = (offers_next(n) -> nodes[n].other : NONE);
       nodes[n].says_uses = nodes[n].in_use
     }
  :: atomic { nodes[n].asks -> hear(n); look() }
  :: atomic { nodes[n].asks && losses < LOSSES ->
       losses++;
       nodes[n].asks = false;
       nodes[n].says_ready = NONE;
       nodes[n].says_uses = NONE
     }
  :: atomic { nodes[n].answered -> take(n); look() }
  :: atomic { nodes[n].answered && losses < LOSSES -> losses++; drop(n) }
  :: atomic { /* its own clock says that the moment is there */
       nodes[n].moment && offers_next(n) && nodes[n].in_use != nodes[n].other ->
       nodes[n].in_use = nodes[n].other;
       look()
     }
#ifdef GO_BACK
  :: atomic { /* its clock goes back behind the moment */
       nodes[n].moment && offers_next(n) && nodes[n].in_use == nodes[n].other && losses < LOSSES ->
       losses++;
       nodes[n].in_use = nodes[n].current;
       look()
     }
#endif
  od
}

init {
  atomic {
    alive[1] = true;
    allowed[0] = true;
    allowed[1] = true;
    since[0] = 1;
    since[1] = 1;
    nodes[0].holds = true;
    nodes[1].holds = true;
    nodes[0].current = 1;
    nodes[1].current = 1;
    nodes[0].in_use = 1;
    nodes[1].in_use = 1;
    run controller();
    run node(0);
    run node(1)
  }
  /* Nothing more can happen. */
  timeout ->
    assert(decided == EPOCHS && current == EPOCHS && phase == steady && other == NONE);
    assert(!allowed[0] || (nodes[0].holds && nodes[0].in_use == EPOCHS));
    assert(!allowed[1] || (nodes[1].holds && nodes[1].in_use == EPOCHS))
}
