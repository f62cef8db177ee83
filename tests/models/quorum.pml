/* What m of n operators sign is carried out once, and never for fewer: src/membership's check() of a
 * statement, the commit that follows it, and whoever hands statements and signatures in. spin
 * searches all of it; `check` runs it.
 *
 * Three operators, two are needed. Two of them sign what they like, when they like; the third is
 * hostile, and signed everything. Whoever hands in has every signature that was ever made, and may
 * send one twice or under another statement, as often as he likes, through two requests at once. A
 * broker that dies forgets what it checked and did not commit; a client that got no answer sends
 * again.
 *
 * Statements 0 and 1 have the same serial, and 1 removes an operator; 2 has the next serial. The
 * time of 0 may run out.
 *
 * Shown of every run there is:
 *   - no statement is carried out twice, nor two of one serial, nor one behind a later one;
 *   - each was signed by two who are operators when it is carried out;
 *   - none is taken after its end.
 *
 * Each of -DNO_DISTINCT, -DNO_BINDING, -DNO_LIST, -DNO_SERIAL, -DNO_EXPIRY, -DNO_CONDITION,
 * -DWEAK_CONDITION and -DTWO_COMMITS leaves out one thing, and is found wrong. -DNOTHING_HAPPENS
 * asserts that nothing is ever carried out, which is wrong, too.
 */

#define OPERATORS 3
#define HOSTILE 2
#define REMOVED 1 /* by statement 1 */
#define STATEMENTS 3
#define NEEDED 2
#define REQUESTS 2
#define NONE 3

#define serial(x) ((x) == 2 -> 2 : 1)

byte signatures[OPERATORS]; /* a bit a statement */
bool removed;
byte last; /* serial that was carried out; durable */
bool late; /* statement 0's time is over */

byte carried_out[STATEMENTS]; /* ours: how often */
byte highest;                 /* ours: serial */

#define is_operator(o) (!removed || (o) != REMOVED)
#define did_sign(o, x) ((signatures[o] & (1 << (x))) != 0)
#define counts(o, x) (is_operator(o) && did_sign(o, x) -> 1 : 0)
#define enough(x) (counts(0, x) + counts(1, x) + counts(2, x) >= NEEDED)

/* One operator's part of what is handed in: nothing, a signature, the same twice, or one that is of
 * another statement. */
inline weigh(o) {
  if
  :: true -> skip
  :: did_sign(o, x) ->
    good++;
#ifndef NO_LIST
    refused = refused || !is_operator(o)
#endif
  :: did_sign(o, x) ->
#ifdef NO_DISTINCT
    good = good + 2
#else
    refused = true
#endif
  :: signatures[o] != 0 && !did_sign(o, x) ->
#ifdef NO_BINDING
    good++
#else
    refused = true
#endif
  fi
}

inline carry_out() {
#ifdef NOTHING_HAPPENS
  assert(carried_out[x] == 7);
#endif
  assert(carried_out[x] == 0);
  assert(serial(x) > highest);
  assert(enough(x));
  carried_out[x]++;
  highest = serial(x);
  if
  :: x == 1 -> removed = true
  :: else -> skip
  fi;
#ifdef TWO_COMMITS
  if
  :: last = serial(x)
  :: skip /* it died between them */
  fi
#else
  last = serial(x)
#endif
}

/* The statement that was checked, and the last serial that it was checked against. */
proctype request() {
  byte x = NONE;
  byte seen;
  byte good;
  bool refused;
end:
  do
  :: atomic {
       x == NONE ->
       if
       :: x = 0
       :: x = 1
       :: x = 2
       fi;
       weigh(0);
       weigh(1);
       weigh(2);
       if
#ifndef NO_SERIAL
       :: serial(x) <= last -> refused = true
#endif
#ifndef NO_EXPIRY
       :: x == 0 && late -> refused = true
#endif
       :: else -> skip
       fi;
       if
       :: !refused && good >= NEEDED ->
         assert(x != 0 || !late);
         seen = last
       :: else -> x = NONE
       fi;
       good = 0;
       refused = false
     }
  :: atomic { /* the commit, on the condition that nothing else was */
       x != NONE ->
       if
#ifdef NO_CONDITION
       :: true -> carry_out()
#else
#ifdef WEAK_CONDITION
       :: serial(x) > last -> carry_out()
#else
       :: seen == last -> carry_out()
#endif
       :: else -> skip
#endif
       fi;
       x = NONE;
       seen = 0
     }
  :: atomic { x != NONE -> x = NONE; seen = 0 } /* the broker dies */
  od
}

proctype operator(byte o) {
end:
  do
  :: atomic { !did_sign(o, 0) -> signatures[o] = signatures[o] | 1 }
  :: atomic { !did_sign(o, 1) -> signatures[o] = signatures[o] | 2 }
  :: atomic { !did_sign(o, 2) -> signatures[o] = signatures[o] | 4 }
  od
}

proctype clock() {
  late = true
}

init {
  atomic {
    signatures[HOSTILE] = 7;
    run operator(0);
    run operator(1);
    run request();
    run request();
    run clock()
  }
}
