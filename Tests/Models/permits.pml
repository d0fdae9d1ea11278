/*
 * How many requests are sent for a limit key with `ordering: none`: permits that circulate in the broker.
 * Stands for RateLimiting/PermitLimiter, its seeder and its census.
 *
 * A permit is a message in one of SLOTS places: ready, delivered, at rest. The broker may drop a pod's connection at
 * any time, and the pod does not know; it restarts, and all messages are gone. A pod stops, for any time, by doing
 * nothing; it crashes, gives up, comes back. A settlement takes any time, or is lost with its connection. Anybody may
 * seed at any time (no marker, a new configuration, a census that does not add up), so looking again under the lock
 * saves a silent window but is no rule here. What a seeder published may land after it has lost the lock. Time is in
 * ticks; as every bound still holds at its very end, whole numbers are enough. Two permits stand for fifty.
 *
 * A delivery's age is counted from the moment that the broker sent it, which the pod can only bound from below
 * (AGED_FROM_READING: what happens if it counts from the moment that it read it).
 *
 * Left out: the way to the API (the margin of W), the instant between check and write, a broker clock that jumps.
 *
 * Each rule can be broken, and each situation that matters be shown to be reached: `check` has the list.
 */
#ifndef W
#define W 3             /* window of the limit, with its margin: how long permits rest */
#endif
#ifndef H
#define H 1             /* a permit held so long is not used any more */
#endif
#define B 2             /* permits */
#define PODS 2
#define SLOTS (B + 1)
#define NONE PODS

/* Where a message is. */
#define GONE     0
#define READY    1
#define BACK     2              /* ready, redelivered */
#define WITH(i)  (3 + (i))      /* delivered on the connection of pod i, not settled */
#define REST     5              /* and so long already: REST + age */
byte place[SLOTS], epoch[SLOTS];

/* What a pod has of it. */
#define NOTHING  0
#define DONE     1              /* used, too old, or given back: to be settled */
#define COOL     2              /* redelivered, kept: COOL + age */
#define HAS      10             /* may be used: HAS + age */
#define HAND(i, s) hand[(i) * SLOTS + (s)]
byte hand[PODS * SLOTS];

#define OFF     0
#define LOOKED  1               /* has read the marker, not subscribed */
#define ON      2
#define CUT     3               /* subscribed in its own eyes only */
byte link[PODS];
byte known[PODS];               /* the epoch of the marker it read */

byte marker;                    /* epoch, 0 if there is none */
#define IDLE    0
#define CLEARED 1               /* CLEARED + permits published */
byte seeding[PODS], cleared[PODS], seeds[PODS];
byte late;                      /* epoch of a permit that a seeder published before it lost its connection */

byte used[B] = W;                  /* ages of the last uses by anybody, youngest first */

#ifdef AGED_FROM_READING
#define USABLE (H + 1)          /* it lay unread for a tick */
#else
#define USABLE H
#endif
#ifdef COOL_FOR_READING_TOO
#define KEEP (H + 1)
#else
#define KEEP H
#endif
byte n, m;                      /* within a step; 0 between steps */

/* Pod i knows, or need not care, that its deliveries are void. */
inline let_go(i) {
    for (n : 0 .. SLOTS - 1) {
        HAND(i, n) = NOTHING;
        if :: place[n] == WITH(i) -> place[n] = BACK :: else fi
    }
    n = 0; link[i] = OFF; known[i] = 0
}

/* On a connection that is gone only what may still be used matters. */
inline tidy(i) {
    if
    :: link[i] == CUT ->
        m = 0;
        for (n : 0 .. SLOTS - 1) {
            if :: HAND(i, n) < HAS -> HAND(i, n) = NOTHING :: else -> m = 1 fi
        }
        if :: m == 0 -> link[i] = OFF; known[i] = 0 :: else fi
    :: else
    fi;
    n = 0; m = 0
}

inline cut(i) {
    for (n : 0 .. SLOTS - 1) { if :: place[n] == WITH(i) -> place[n] = BACK :: else fi }
    if :: link[i] == ON -> link[i] = CUT :: else fi;
    tidy(i)
}

inline use() {
    assert(used[B - 1] >= W);
    for (n : 1 .. B - 1) { used[B - n] = used[B - n - 1] }
    n = 0; used[0] = 0;
#ifdef PROBE_LIMIT_REACHED
    assert(used[B - 1] > 0);
#endif
}

inline put(where, number) {
    do :: n < SLOTS && place[n] != GONE -> n++ :: else -> break od;
    place[n] = where; epoch[n] = number; n = 0
}
#define ROOM (place[0] == GONE || place[1] == GONE || place[2] == GONE)

inline empty_all() {
    for (n : 0 .. SLOTS - 1) { place[n] = GONE; epoch[n] = 0 }
    marker = 0;
    for (n : 0 .. PODS - 1) { if :: link[n] == ON -> link[n] = CUT :: else fi }
    n = 0;
    tidy(0); tidy(1)
}

inline free_epoch(i) {
    m = 1;
    do
    :: m == marker || m == late || m == known[0] || m == known[1] || m == seeds[1 - (i)] || m == epoch[0] ||
        m == epoch[1] || m == epoch[2] -> m++
    :: else -> break
    od;
    seeds[i] = m; m = 0
}

/* Permits differ by their state only, so they are kept in one order: far fewer states. */
#define KEY(s) (((place[s] * 8 + epoch[s]) * 16 + HAND(0, s)) * 16 + HAND(1, s))
inline exchange(s, t) {
    if
    :: KEY(s) > KEY(t) ->
        n = place[s]; place[s] = place[t]; place[t] = n;
        n = epoch[s]; epoch[s] = epoch[t]; epoch[t] = n;
        n = HAND(0, s); HAND(0, s) = HAND(0, t); HAND(0, t) = n;
        n = HAND(1, s); HAND(1, s) = HAND(1, t); HAND(1, t) = n;
        n = 0
    :: else
    fi
}
inline order() { exchange(0, 1); exchange(1, 2); exchange(0, 1) }

/* The broker sees the seeder's connection go, and the lock with it. */
inline fence(i) { seeding[i] = IDLE; cleared[i] = 0; seeds[i] = 0 }

#define PERMIT(s) \
    :: d_step { link[_pid] == ON && (place[s] == READY || place[s] == BACK) && HAND(_pid, s) == NOTHING -> \
        if \
        :: IS_OLD(s) -> place[s] = GONE; epoch[s] = 0 \
        :: !IS_OLD(s) && place[s] == READY -> place[s] = WITH(_pid); HAND(_pid, s) = HAS \
        :: !IS_OLD(s) && place[s] == BACK -> place[s] = WITH(_pid); HAND(_pid, s) = REDELIVERED \
        fi; \
        PROBE_DELIVERED(s); \
        order() } \
    :: d_step { HAND(_pid, s) >= HAS -> \
        HAND(_pid, s) = DONE; \
        PROBE_USED(s); \
        use(); tidy(_pid); order() } \
    :: d_step { link[_pid] == ON && place[s] == WITH(_pid) && \
        (HAND(_pid, s) == DONE || HAND(_pid, s) == COOL + KEEP || HAND(_pid, s) >= HAS) -> \
        place[s] = REST; SETTLED(s); order() }

#ifdef OLD_EPOCH_USED
#define IS_OLD(s) false
#else
#define IS_OLD(s) (epoch[s] != known[_pid])
#endif
#if defined(USE_REDELIVERED)
#define REDELIVERED HAS
#elif defined(REST_REDELIVERED_AT_ONCE)
#define REDELIVERED DONE
#else
#define REDELIVERED COOL
#endif
#ifdef REJECT_BEFORE_CALL
#define SETTLED(s) if :: HAND(_pid, s) < HAS -> HAND(_pid, s) = NOTHING :: else fi
#else
#define SETTLED(s) HAND(_pid, s) = NOTHING
#endif
#ifdef SEED_WITHOUT_LOCK
#define LOCK_IS_FREE true
#else
#define LOCK_IS_FREE (seeding[1 - _pid] == IDLE)
#endif
#ifdef SEED_WITHOUT_WAIT
#define WAIT 0
#else
#define WAIT KEEP
#endif
#ifdef SEED_READY
#define SEEDED READY
#else
#define SEEDED REST
#endif

/* The permit is delivered again while another pod may still use its copy. */
#ifdef PROBE_REDELIVERED_WHILE_HELD
#define PROBE_DELIVERED(s) assert(!(place[s] == WITH(_pid) && HAND(1 - _pid, s) >= HAS))
#else
#define PROBE_DELIVERED(s) skip
#endif
/* A permit is used after another seeder has cleared the queues. */
#ifdef PROBE_USED_WHILE_SEEDING
#define PROBE_USED(s) assert(!(link[_pid] == CUT && seeding[1 - _pid] >= CLEARED))
#else
#define PROBE_USED(s) skip
#endif

active [PODS] proctype Pod() {
    do
    /* Connection. */
    :: d_step { link[_pid] == OFF && marker != 0 -> link[_pid] = LOOKED; known[_pid] = marker }
    :: d_step { link[_pid] == LOOKED -> link[_pid] = ON }
    :: d_step { link[_pid] != OFF -> let_go(_pid); order() }
    PERMIT(0)
    PERMIT(1)
    PERMIT(2)

    /* Seeding, on a connection of its own. */
    :: d_step { seeding[_pid] == IDLE && LOCK_IS_FREE ->
#ifdef PROBE_SECOND_SEEDER
            assert(late == 0);
#endif
            empty_all(); free_epoch(_pid); order();
            seeding[_pid] = CLEARED }
    :: d_step { seeding[_pid] >= CLEARED && seeding[_pid] < CLEARED + B && cleared[_pid] >= WAIT && ROOM ->
            put(SEEDED, seeds[_pid]); order(); seeding[_pid]++ }
    :: d_step { seeding[_pid] == CLEARED + B ->
            marker = seeds[_pid]; seeds[_pid] = 0; seeding[_pid] = IDLE; cleared[_pid] = 0 }
    :: d_step { seeding[_pid] >= CLEARED && seeding[_pid] < CLEARED + B && cleared[_pid] >= WAIT && late == 0 ->
            late = seeds[_pid]; fence(_pid) }
    :: d_step { seeding[_pid] != IDLE -> fence(_pid) }
    od
}

#define MESSAGE(s) \
    :: d_step { place[s] == REST + W -> place[s] = READY; order() }

active proctype Broker() {
    do
    :: d_step { link[0] == ON -> cut(0); order() }
    :: d_step { link[1] == ON -> cut(1); order() }
    MESSAGE(0)
    MESSAGE(1)
    MESSAGE(2)
    :: d_step { late != 0 && ROOM ->
            put(SEEDED, late); late = 0; order();
#ifdef PROBE_LATE_PERMIT
            assert(marker == 0);
#endif
        }
    :: d_step { late != 0 -> late = 0 }
    /* Restart. */
    :: d_step { empty_all(); late = 0; fence(0); fence(1); order() }
    od
}

active proctype Clock() {
    do
    :: d_step {
        for (m : 0 .. SLOTS - 1) { if :: place[m] >= REST && place[m] < REST + W -> place[m]++ :: else fi }
        for (m : 0 .. PODS * SLOTS - 1) {
            if
            :: hand[m] >= COOL && hand[m] < COOL + KEEP -> hand[m]++
            :: hand[m] >= HAS && hand[m] < HAS + USABLE -> hand[m]++
#ifndef NO_HOLD
            :: hand[m] == HAS + USABLE -> hand[m] = DONE
#endif
            :: else
            fi
        }
        for (m : 0 .. B - 1) { if :: used[m] < W -> used[m]++ :: else fi }
        for (m : 0 .. PODS - 1) { if :: seeding[m] >= CLEARED && cleared[m] < KEEP -> cleared[m]++ :: else fi }
        m = 0;
        tidy(0); tidy(1); order() }
    od
}
