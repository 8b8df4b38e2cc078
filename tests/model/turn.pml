/*
 * A turn under every order of crashes: one message of one client, two chat
 * instances, two ai workers, a database that survives. docs/reliability.md
 * says which lines stand for which code.
 *
 * Checked: the message is stored once and not before it is acknowledged; one
 * reply, from one attempt; one end, which never changes; what a client shows
 * is a beginning of one attempt's text; the client gets the end at last (any
 * state in which nobody can go on and the client has no end is reported as an
 * invalid end state).
 *
 * Faults are bounded, so that every run ends: CRASHES of chat or ai at any
 * point, LAPSES of a lease whose owner lives on as a zombie, and publications
 * that are lost whenever they like.
 *
 * Each MISTAKE_* leaves out one rule; the check must then fail:
 *   MISTAKE_EARLY_ACK    accepted before the commit
 *   MISTAKE_NO_KEY       the client's message id does not matter
 *   MISTAKE_NO_FENCE     whoever finishes may write
 *   MISTAKE_NO_CLEAR     a new attempt goes on behind the old one's text
 *   MISTAKE_NO_TAKEOVER  nobody looks for turns without a living owner
 *   MISTAKE_NO_PULL      the end is only published, never asked for
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LAPSES
#define LAPSES 1
#endif

#define PIECES 2	/* of a whole reply */
#define NOBODY 9

mtype = { NONE, RUNNING, ENDED };

/* ---- the database: each use of it below is one atomic transaction ------------------ */

byte user_rows, ai_rows;
mtype state = NONE;
byte owner = NOBODY, attempt, ended_by;	/* ended_by: the attempt whose text is the reply */
bool lease;

/* ---- what dies with a process --------------------------------------------------------- */

typedef reply_log { byte attempt; byte n; byte tag[PIECES] };	/* tag: which attempt a piece is of */

reply_log log[2];		/* of the turn that chat i runs; attempt 0: it runs none */
byte held[2];		/* the attempt that worker w has the text of; 0: idle */
byte made[2];		/* pieces of it so far */

bool replying[2];	/* chat i is where pieces are taken */

byte crashes, lapses;

/* ---- messages ---------------------------------------------------------------------------- */

chan post = [0] of { byte };			/* client to chat: a request; its answer is below */
chan accepted = [1] of { bit };
chan work[2] = [0] of { byte };			/* chat i hands an attempt to a worker that pulls */
chan events = [1] of { byte, byte };		/* to the client: epoch, number; lossy */

/* ---- what the client has ------------------------------------------------------------------- */

bool client_acked, client_done;
byte shown_epoch, shown_n;

inline publish_delta(e, k)
{
	atomic {
		if
		:: nfull(events) -> events!e, k
		:: true		/* lost */
		fi
	}
}

/* Nobody waits for the answer of a request that was given up. */
inline answer_accepted()
{
	atomic {
		if
		:: nfull(accepted) -> accepted!1
		:: full(accepted)
		fi
	}
}

inline forget(i)
{
	replying[i] = false;
	log[i].attempt = 0;
	log[i].n = 0;
	log[i].tag[0] = 0;
	log[i].tag[1] = 0
}

#define CRASH atomic { crashes < CRASHES -> crashes++; forget(i); goto idle }
#define HELD_BY_SOMEBODY(a) (held[0] == (a) || held[1] == (a))
#define MAY_CLAIM(i) (state == RUNNING && log[i].attempt == 0 && (owner == (i) || owner == NOBODY || !lease))

proctype chat(byte i)
{
	bool acknowledge;

idle:
end:	do
	:: atomic { post?_ -> acknowledge = true };
#ifdef MISTAKE_EARLY_ACK
		answer_accepted();
		acknowledge = false;
#endif
		goto begin
#ifndef MISTAKE_NO_TAKEOVER
	:: atomic { MAY_CLAIM(i) -> owner = i; lease = true; log[i].attempt = attempt; log[i].n = 0 };
		goto reattach
#endif
	od;

begin:	/* TURN_BEGIN: the user's row, the turn and its lease in one transaction */
	if
	:: CRASH
	:: atomic {
#ifdef MISTAKE_NO_KEY
		state != RUNNING ->
#else
		state == NONE ->
#endif
		user_rows++;
		state = RUNNING;
		owner = i;
		lease = true;
		attempt = 1;
		log[i].attempt = 1;
		log[i].n = 0 }
#ifdef MISTAKE_NO_KEY
	:: atomic { state == RUNNING -> user_rows++ }
#else
	:: state != NONE			/* asked before: the first outcome */
#endif
	fi;
	if
	:: CRASH
	:: acknowledge -> answer_accepted()
	:: !acknowledge
	fi;
	if
	:: log[i].attempt == 0 -> goto idle
	:: else
	fi;

ask:	if
	:: work[i]!log[i].attempt
	:: CRASH
	:: state != RUNNING || owner != i || attempt != log[i].attempt -> goto fenced
	fi;

reply:	replying[i] = true;
	do
	:: atomic {				/* WORK_DONE: an attempt ended, its worker tells all of its text */
		held[0] == log[i].attempt && made[0] == PIECES || held[1] == log[i].attempt && made[1] == PIECES ->
		do
		:: log[i].n < PIECES ->
			log[i].tag[log[i].n] = log[i].attempt;
			publish_delta(log[i].attempt, log[i].n);
			log[i].n++
		:: else -> break
		od;
		replying[i] = false };
		goto finish
	:: atomic { !HELD_BY_SOMEBODY(log[i].attempt) -> replying[i] = false; goto retry }
	:: CRASH
	od;

reattach: /* taken over: who has the text goes on, otherwise another attempt */
	if
	:: CRASH
	:: HELD_BY_SOMEBODY(log[i].attempt) -> goto reply
	:: !HELD_BY_SOMEBODY(log[i].attempt) -> goto retry
	fi;

retry:	/* TURN_ATTEMPT: fences the attempt before off */
	if
	:: CRASH
	:: atomic { state == RUNNING && owner == i && attempt == log[i].attempt ->
		attempt++;
		lease = true;
#ifdef MISTAKE_NO_CLEAR
		log[i].attempt = attempt }
#else
		forget(i);
		log[i].attempt = attempt }
#endif
		goto ask
	:: !(state == RUNNING && owner == i && attempt == log[i].attempt) -> goto fenced
	fi;

finish:	/* TURN_FINISH: the reply and the end in one transaction */
	if
	:: CRASH
	:: atomic {
#ifdef MISTAKE_NO_FENCE
		true ->
#else
		state == RUNNING && owner == i && attempt == log[i].attempt ->
#endif
		assert(log[i].n == PIECES);
		assert(log[i].tag[0] == log[i].tag[1]);		/* never spliced */
		assert(log[i].tag[0] == log[i].attempt);
		ai_rows++;
		assert(ai_rows == 1);				/* one reply */
		assert(state == RUNNING);			/* one end */
		state = ENDED;
		ended_by = log[i].attempt };
		publish_delta(log[i].attempt, PIECES)		/* ai_response; the worker is confirmed */
	:: !(state == RUNNING && owner == i && attempt == log[i].attempt) -> goto fenced
	fi;

fenced:	/* somebody else has the turn, or it has ended: nothing of this is written or shown */
	atomic { forget(i); goto idle }
}

proctype ai(byte w)
{
	byte to;

idle:
end:	if
	:: atomic { work[0]?held[w] -> to = 0 }
	:: atomic { work[1]?held[w] -> to = 1 }
	fi;
	do
	:: atomic { made[w] < PIECES ->
		if
		/* arrives at once or never: late is caught by the same comparison */
		:: log[to].attempt == held[w] && log[to].n == made[w] && replying[to] ->
			log[to].tag[made[w]] = held[w];
			log[to].n++;
			publish_delta(held[w], made[w])
		:: true		/* lost, or not of the attempt that chat is at */
		fi;
		made[w]++ }
	/* told that the end is stored, or that nobody wants it: until then the text is kept */
	:: atomic { made[w] == PIECES && (state == ENDED || held[w] != attempt) -> held[w] = 0; made[w] = 0; goto idle }
	:: atomic { crashes < CRASHES -> crashes++; held[w] = 0; made[w] = 0; goto idle }
	od
}

/* A lease runs out while its owner still runs: stopped, slow, or cut off. */
proctype time()
{
end:	do
	:: atomic { state == RUNNING && lease && lapses < LAPSES -> lapses++; lease = false }
	od
}

inline display(e, k)
{
	if
	:: e > shown_epoch && k == 0 -> shown_epoch = e; shown_n = 1	/* ai_reset */
	:: e == shown_epoch && k == shown_n && k < PIECES -> shown_n++
	:: k == PIECES ->						/* ai_response */
		assert(state == ENDED && ai_rows == 1 && e == ended_by);
		shown_epoch = e;
		shown_n = PIECES;
		client_done = true
	:: else								/* a gap: the pull below closes it */
	fi;
	assert(shown_n <= PIECES)
}

proctype client()
{
	byte e, k, seen;

send:	seen = crashes;
	post!0;
	if
	:: accepted?_ -> client_acked = true; assert(user_rows == 1)	/* stored, and once */
	:: atomic { crashes != seen && empty(accepted) -> goto send }	/* no answer: the same message once more */
	fi;
	do
	:: client_done -> break
	:: atomic { events?e, k -> display(e, k) }
	/* a snapshot from whoever runs the turn: text so far, and its epoch */
	:: atomic { !client_done && state == RUNNING && log[0].attempt == attempt && owner == 0 && log[0].n > 0 &&
			(attempt > shown_epoch || log[0].n > shown_n) ->
		shown_epoch = attempt; shown_n = log[0].n }
	:: atomic { !client_done && state == RUNNING && log[1].attempt == attempt && owner == 1 && log[1].n > 0 &&
			(attempt > shown_epoch || log[1].n > shown_n) ->
		shown_epoch = attempt; shown_n = log[1].n }
#ifndef MISTAKE_NO_PULL
	:: atomic { !client_done && state == ENDED -> display(ended_by, PIECES) }
#endif
	od;
	assert(user_rows == 1 && ai_rows == 1 && shown_epoch == ended_by)
}

init
{
	atomic {
		run client();
		run chat(0);
		run chat(1);
		run ai(0);
		run ai(1);
		run time()
	}
}
