/*
 * Who may send for an application with `ordering: customer`: token, lease, take-over, hand-over.
 * Stands for ConsentWorker/Ownership (`ApplicationOwner`, its `Lease` and its `OwnerToken`s) and for the
 * `SendLogLimiter` that a new owner fills.
 *
 * A pod claims, and renews, in one way: it publishes a token with a number never used before, is delivered exactly that
 * one, and only then settles all before it. It leaves by closing its channel, never by a cancel.
 *
 * The broker is what the majority of its nodes agrees on: a queue of tokens of which the first `given` are delivered to
 * the one active consumer and not settled; when that consumer goes they are there again, all at once, in order, before
 * all others. The broker may drop a pod's consumer at any time and regard it again, and the pod does not know.
 * Deliveries take any time; publications too, and they may land twice. A pod stops, for any time, by doing nothing; it
 * crashes, gives up, comes back. Time is in ticks; as every bound still holds at its very end, whole numbers are
 * enough. One request a window stands for fifty: the log of one process is exact.
 *
 * Two pods send. What all others do to the queue, one more consumer does: it is delivered, publishes, settles what is
 * before any token that may be its own, is lost. What it hands over lands anyway: released tokens land at any time.
 *
 * Left out: the way to the API (the margin of W), the instant between check and write, the order within one owner;
 * copies of the second pod's tokens (the first's land, and both are alike); a token without holder among others (a
 * released one lands there, which gives more right). A publication whose first copy lands late began its renewal
 * earlier, which gives less right.
 *
 * Each rule can be broken, and each situation that matters be shown to be reached: `check` has the list.
 */
#ifndef L
#define L 2             /* lease */
#endif
#ifndef W
#define W 1             /* window of the limit, with its margin */
#endif
#ifndef ROOM
#define ROOM 3          /* for tokens */
#endif
#define PODS 2
#define NONE PODS
#define OTHER (PODS + 1) /* another pod, or one that only the broker believes in */
#define OVER (L + 1)    /* age of a lease that is over, or was never had */

/* Tokens. */
#define EMPTY       1           /* no holder: from a pod that waited long and saw none */
#define RELEASED    2           /* no holder: its author had the right and has stopped sending */
#define HELD(i)     (3 + (i))   /* from the last renewal that succeeded */
#define FRESH(i)    (5 + (i))   /* from the claim or renewal that its author waits for */
#define LEFT        7           /* a holder's that has renewed again, or given up, or another pod's */

/* The broker. */
byte queue[ROOM], length, given;
byte consumer = NONE;           /* whose the given ones are */
#ifdef CANCELLED_FIRST
byte aside;                     /* unsettled, of a consumer that was cancelled */
#endif

/* The pods. */
#define OUT     0
#define SLOW    1               /* takes over */
#define QUICK   2               /* was handed over to */
byte inbox[PODS];               /* delivered, not read */
byte tenure[PODS];
byte waited[PODS];              /* since it was delivered the token of its claim */
byte lease[PODS] = OVER;        /* since the start of the last renewal that succeeded */
bool waiting[PODS]; byte started[PODS];    /* for the token of a claim or renewal; since its start */
byte silent[PODS] = W;          /* since this process sent */
byte last = W;                  /* since anybody sent */
#ifdef NO_CHECK_AT_SEND
bool checked[PODS];
#endif

#ifdef TAKEOVER_AT_ONCE
#define TAKEOVER W
#elif defined(TAKEOVER_WITHOUT_WINDOW)
#define TAKEOVER L
#else
#define TAKEOVER (L + W)
#endif
#ifdef HANDOVER_WITHOUT_WINDOW
#define HANDOVER 0
#else
#define HANDOVER W
#endif
#define ALLOWED(i) (lease[i] <= L && \
    ((tenure[i] == SLOW && waited[i] >= TAKEOVER) || (tenure[i] == QUICK && waited[i] >= HANDOVER)))
/* Past the wait for an owner before, if not past the window: it may release. */
#define STARTED(i) (lease[i] <= L && ((tenure[i] == SLOW && waited[i] >= L) || tenure[i] == QUICK))
#define ORDER assert(!(ALLOWED(0) && ALLOWED(1)))

byte n, m, token;               /* within a step; 0 between steps */

inline later(age, most) { if :: age < most -> age++ :: else fi }

inline append(kind) {
#ifdef MAX_LENGTH_ONE
    if :: length > given -> length = given :: else fi;
#endif
    queue[length] = kind; length++
}

/* All tokens of one kind become another. */
inline relabel(from, to) {
    for (n : 0 .. ROOM - 1) { if :: queue[n] == from -> queue[n] = to :: else fi }
    for (n : 0 .. PODS - 1) { if :: inbox[n] == from -> inbox[n] = to :: else fi }
#ifdef CANCELLED_FIRST
    if :: aside == from -> aside = to :: else fi;
#endif
    n = 0
}

inline end_renewal(i, kind) {
    if :: waiting[i] -> relabel(FRESH(i), kind) :: else fi;
    waiting[i] = false; started[i] = 0
}

/* Pod i gives up, or a new process takes its place. The broker has yet to notice. */
inline give_up(i) {
#ifdef SHORTCUT_FOR_OWN_TOKEN
    end_renewal(i, HELD(i));
#else
    end_renewal(i, LEFT);
    relabel(HELD(i), LEFT);
#endif
    tenure[i] = OUT; waited[i] = 0; lease[i] = OVER; silent[i] = W;
    inbox[i] = 0;
    if :: consumer == i -> consumer = OTHER :: else fi
}

/* The first `count` tokens are settled. */
inline settle(count) {
    m = count;
    do
    :: m > 0 ->
        for (n : 1 .. ROOM - 1) { queue[n - 1] = queue[n] }
        queue[ROOM - 1] = 0; n = 0; m--; length--; given--
    :: else -> break
    od;
    m = 0;
    if :: given == 0 -> consumer = NONE :: else fi
}

inline drop() { consumer = NONE; given = 0 }

#ifdef CANCELLED_FIRST
/* The next consumer is active before the first token is back. */
inline cancel() { aside = queue[0]; settle(1); drop() }

inline put_back() {
    for (n : 1 .. ROOM - 1) {
        if :: ROOM - n > given -> queue[ROOM - n] = queue[ROOM - n - 1] :: else fi
    }
    n = 0; queue[given] = aside; aside = 0; length++
}
#endif

inline renewed(i) {
#ifdef LEASE_FROM_DELIVERY
    lease[i] = 0;
#else
    lease[i] = started[i];
#endif
    relabel(HELD(i), LEFT);
    end_renewal(i, HELD(i));
    ORDER
}

/* Pod i reads what was delivered first. */
inline read(i) {
    token = inbox[i]; inbox[i] = 0;
    if
    :: token == FRESH(i) -> renewed(i)
#ifdef RENEWED_BY_REQUEUE
    :: token == HELD(i) && waiting[i] -> renewed(i)
#endif
#ifdef ANY_TOKEN_RENEWS
    :: token != FRESH(i) && waiting[i] -> renewed(i)
#endif
#ifdef SHORTCUT_FOR_OWN_TOKEN
    :: token == HELD(i) && tenure[i] == OUT -> tenure[i] = SLOW; waited[i] = TAKEOVER; lease[i] = 0
#endif
    /* Claiming: as QUICK as all tokens say. */
    :: token == RELEASED && lease[i] == OVER ->
#ifdef RELEASED_AMONG_OTHERS
        tenure[i] = QUICK
#else
        if :: tenure[i] == OUT -> tenure[i] = QUICK :: else fi;
#ifdef SEND_ON_RELEASED_TOKEN
        lease[i] = 0
#endif
#endif
    :: token != RELEASED && token != FRESH(i) && lease[i] == OVER ->
#ifdef RELEASED_AMONG_OTHERS
        if :: tenure[i] == OUT -> tenure[i] = SLOW :: else fi
#else
        tenure[i] = SLOW
#endif
    /* Holding: its own again and those without holder say nothing; others say that it was taken for lost. */
    :: token != FRESH(i) && lease[i] != OVER ->
#ifndef OTHER_HOLDER_IGNORED
        if :: token == LEFT || token == HELD(1 - i) || token == FRESH(1 - i) -> give_up(i) :: else fi
#endif
    fi;
    token = 0
}

inline age(i) {
    later(silent[i], W);
    if :: waiting[i] -> later(started[i], OVER) :: else fi;
#ifdef START_FROM_FOREIGN_TOKEN
    if :: tenure[i] != OUT -> later(waited[i], L + W) :: else fi;
#else
    if :: lease[i] != OVER -> later(waited[i], (tenure[i] == QUICK -> W : L + W)) :: else fi;
#endif
    if
    :: lease[i] < OVER ->
        lease[i]++;
        if
#ifndef LAPSED_LEASE_REVIVES
        :: lease[i] == OVER -> give_up(i)
#endif
        :: else
        fi
    :: else
    fi;
    if :: started[i] == OVER -> give_up(i) :: else fi
}

active [PODS] proctype Pod() {
    do
    :: d_step { tenure[_pid] != OUT || inbox[_pid] != 0 -> give_up(_pid) }
    :: d_step { inbox[_pid] != 0 -> read(_pid) }

    /* Claim, renewal: publish a token, be delivered it, then settle all before it. */
#ifdef RENEWED_BY_REQUEUE
    :: d_step { tenure[_pid] != OUT && lease[_pid] != OVER && !waiting[_pid] ->
            waiting[_pid] = true;
            if :: consumer == _pid && queue[0] == HELD(_pid) && inbox[_pid] == 0 -> drop() :: else fi }
    :: d_step { tenure[_pid] != OUT && lease[_pid] == OVER && !waiting[_pid] && length < ROOM ->
#else
    :: d_step { tenure[_pid] != OUT && !waiting[_pid] && length < ROOM ->
#endif
            append(FRESH(_pid)); waiting[_pid] = true }
#ifdef SETTLED_BEFORE_DELIVERED
    :: d_step { waiting[_pid] && consumer == _pid && inbox[_pid] == 0 && queue[0] != FRESH(_pid) -> settle(1) }
#endif
    :: d_step { consumer == _pid && given > 1 && queue[1] == HELD(_pid) -> settle(1) }
    :: d_step { consumer == _pid && given > 2 && queue[2] == HELD(_pid) -> settle(2) }
#if ROOM > 3
    :: d_step { consumer == _pid && given > 3 && queue[3] == HELD(_pid) -> settle(3) }
#endif

    /* Hand-over: it has stopped, publishes a released token, settles its own, closes. Where it fails, it gives up. */
#ifdef RELEASED_WHILE_WAITING
    :: d_step { lease[_pid] <= L && consumer == _pid && queue[0] == HELD(_pid) && length < ROOM ->
#else
    :: d_step { STARTED(_pid) && consumer == _pid && queue[0] == HELD(_pid) && length < ROOM ->
#endif
            append(RELEASED); settle(1); give_up(_pid) }
#ifdef CANCELLED_FIRST
    :: d_step { tenure[_pid] != OUT && consumer == _pid && aside == 0 -> cancel(); give_up(_pid) }
#endif

#ifdef NO_CHECK_AT_SEND
    :: d_step { ALLOWED(_pid) && !checked[_pid] -> checked[_pid] = true }
    :: d_step { checked[_pid] && silent[_pid] >= W ->
            checked[_pid] = false;
#else
    :: d_step { ALLOWED(_pid) && silent[_pid] >= W ->
#endif
            assert(last >= W);
            assert(!ALLOWED(1 - _pid));
#ifdef PROBE_SENT_AFTER_TAKEOVER
            assert(tenure[_pid] != SLOW);
#endif
#ifdef PROBE_SENT_AFTER_HANDOVER
            assert(tenure[_pid] != QUICK);
#endif
            last = 0; silent[_pid] = 0 }
    od
}

/* The situations of the other probes. */
#ifdef PROBE_TAKEOVER_WHILE_ALLOWED
#define PROBE(i) assert(!(ALLOWED(1 - i) && queue[given] == HELD(1 - i)))
#elif defined(PROBE_LATE_RELEASE)
#define PROBE(i) assert(!(ALLOWED(1 - i) && queue[given] == RELEASED))
#elif defined(PROBE_REGAINED)
#define PROBE(i) assert(!(ALLOWED(i) && queue[given] == HELD(i)))
#else
#define PROBE(i) skip
#endif
#ifdef PROBE_SETTLED_BY_OTHER
#define PROBE_OTHER assert(!(ALLOWED(0) && queue[0] == HELD(0)))
#else
#define PROBE_OTHER skip
#endif
#ifdef SETTLED_BEFORE_DELIVERED
#define PREFETCH 1
#else
#define PREFETCH ROOM
#endif
#define DELIVER(i) \
    :: d_step { (consumer == i || given == 0) && given < length && given < PREFETCH && inbox[i] == 0 -> \
            PROBE(i); \
            inbox[i] = queue[given]; consumer = i; given++ }

active proctype Broker() {
    do
    DELIVER(0)
    DELIVER(1)
    /* The consumer is dropped; from here on any pod may be the consumer, this one too. */
    :: d_step { consumer != NONE -> drop() }
    /* Another pod. */
    :: d_step { (consumer == OTHER || given == 0) && given < length && given < PREFETCH -> consumer = OTHER; given++ }
    :: d_step { consumer == OTHER && length < ROOM -> append(LEFT) }
#ifdef SETTLED_BEFORE_DELIVERED
    :: d_step { consumer == OTHER && (queue[1] == LEFT || queue[2] == LEFT) -> settle(1) }
#endif
    :: d_step { consumer == OTHER && given > 1 && queue[1] == LEFT -> PROBE_OTHER; settle(1) }
    :: d_step { consumer == OTHER && given > 2 && queue[2] == LEFT -> PROBE_OTHER; settle(2) }
#if ROOM > 3
    :: d_step { consumer == OTHER && given > 3 && queue[3] == LEFT -> PROBE_OTHER; settle(3) }
#endif
#ifdef CANCELLED_FIRST
    :: d_step { consumer == OTHER && aside == 0 -> cancel() }
    :: d_step { aside != 0 -> aside = 0 }
    :: d_step { aside != 0 && length < ROOM -> put_back() }
#endif
    /* Publications: of a pod that waited long, late ones, copies. */
    :: d_step { length == 0 -> append(EMPTY) }
    :: d_step { length < ROOM - 1 -> append(RELEASED) }
    :: d_step { length < ROOM - 1 && waiting[0] -> append(FRESH(0)) }
    :: d_step { length < ROOM - 1 && lease[0] != OVER -> append(HELD(0)) }
    od
}

active proctype Clock() {
    do
    :: d_step {
        later(last, W);
        age(0); age(1);
        ORDER }
    od
}
