//! A forger changes what events say of payouts and computes every id and hash anew: the chain is
//! right, and the rules tell.
//!
//! Each case names a word of why. A case is a history that is right up to its last event.

use super::forge::*;
use super::history_transfers::{ATM, Story};

/// Seen failing with an auditor that looked at the account alone.
#[test]
fn a_payout_that_is_sent_or_settled_as_none_can_be() {
    last_is_found("its hold is not open", |s| {
        s.request(1_001, ATM, 4_000, 60);
        s.note(
            &of(),
            "payout:1",
            "PayoutSent",
            r#""provider":"atm","repeat":"never","claim":"4f""#,
            "paying",
        );
    });
    last_is_found("another provider", |s| {
        s.request(1_001, ATM, 4_000, 60);
        s.hold(&of(), ATM, 4_000);
        s.note(
            &of(),
            "payout:1",
            "PayoutSent",
            r#""provider":"post","repeat":"never","claim":"4f""#,
            "paying",
        );
    });
    last_is_found("another provider", |s| {
        held(s);
        s.note(
            &of(),
            "payout:1",
            "PayoutSent",
            r#""provider":"atm","repeat":"never","claim":"4f""#,
            "paying",
        );
    });
    changed_is_found("there should be", sent, |told| swap(told, "never", "often"));
    changed_is_found("a claim", sent, |told| swap(told, r#""claim":"4f""#, r#""claim":"""#));
    last_is_found("a transfer that is under_way has no PayoutSettled", |s| {
        s.request(1_001, ATM, 4_000, 60);
        settled(s, r#""outcome":"done","learnt_by":"reply""#, "finishing");
    });
    last_is_found("no payout was sent", |s| {
        s.request(1_001, ATM, 4_000, 60);
        s.hold(&of(), ATM, 4_000);
        s.note(
            &of(),
            "stall:1",
            "TransferStalled",
            r#""step":"payout","code":"outcome_unknown""#,
            "needs_operator",
        );
        settled(s, r#""outcome":"done","learnt_by":"reply""#, "finishing");
    });
    for amount in ["0.00", "40.00", "40.01", "1.000"] {
        last_is_found("the amount paid is no sum", |s| {
            sent(s);
            settled(s, &format!(r#""outcome":"done","learnt_by":"reply","amount":"{amount}""#), "finishing");
        });
    }
    last_is_found("longer than the ledger keeps", |s| {
        sent(s);
        let long = "ü".repeat(129);
        settled(s, &format!(r#""outcome":"done","learnt_by":"reply","reference":"{long}""#), "finishing");
    });
    last_is_found("not one that such an event may have", |s| {
        sent(s);
        settled(s, &format!(r#""outcome":"done","learnt_by":"operator",{REASON}"#), "finishing");
    });
    last_is_found("by the rules it is declined: too_late", |s| {
        sent(s);
        s.client(&of(), 2_001, "TransferCancelRequested", REASON, "asking");
    });
}

#[test]
fn a_capture_or_a_release_that_the_payout_does_not_allow() {
    last_is_found("its payout is not known to be done", |s| {
        sent(s);
        s.capture(&of(), ATM, 4_000, 0);
    });
    last_is_found("its payout is not known to be declined", |s| {
        sent(s);
        s.release(&of(), 4_000);
    });
    last_is_found("its payout is not known to be declined", |s| {
        s.request(1_001, ATM, 4_000, 60);
        s.hold(&of(), ATM, 4_000);
        s.release(&of(), 4_000);
    });
    // The original of a restored copy may have sent what the copy stops: somebody must say first that it was not paid.
    let stopped_in_a_copy = |s: &mut Story| {
        s.request(1_001, ATM, 4_000, 60);
        s.hold(&of(), ATM, 4_000);
        cancelled(s);
        s.note(&of(), "stall:1", "TransferStalled", r#""step":"payout","code":"restored""#, "needs_operator");
    };
    last_is_found("its payout is not known to be declined", |s| {
        stopped_in_a_copy(s);
        s.release(&of(), 4_000);
    });
    last_is_found("its payout is not known to be declined", |s| {
        stopped_in_a_copy(s);
        s.client(&of(), 2_002, "TransferResumed", REASON, "stopping");
        s.release(&of(), 4_000);
    });
    last_is_found("its payout is not known to be done", |s| {
        sent(s);
        settled(s, r#""outcome":"declined","learnt_by":"reply""#, "releasing");
        s.capture(&of(), ATM, 4_000, 0);
    });
    last_is_found("another amount", |s| {
        sent(s);
        settled(s, r#""outcome":"done","learnt_by":"reply","amount":"30.00""#, "finishing");
        s.capture(&of(), ATM, 4_000, 0);
    });
    let done = |s: &mut Story| {
        sent(s);
        settled(s, r#""outcome":"done","learnt_by":"reply","amount":"30.00""#, "finishing");
        s.capture(&of(), ATM, 3_000, 1_000);
    };
    last_is_found("it moved another amount", |s| {
        done(s);
        s.completed(&of(), 4_000);
    });
    let told = r#""outcome":"done","learnt_by":"status","amount":"30.00""#;
    last_is_found("the step has come already", |s| {
        done(s);
        s.note(&of(), "contradiction:1", "PayoutContradicted", told, "needs_operator");
    });
    last_is_found("the attempt is 2, where 1 comes next", |s| {
        done(s);
        s.note(
            &of(),
            "contradiction:2",
            "PayoutContradicted",
            r#""outcome":"done","learnt_by":"status""#,
            "needs_operator",
        );
    });
    changed_is_found("other side", done, |told| {
        swap(told, r#""account":"@external:atm""#, r#""account":"@transit""#)
    });
    changed_is_found("other side", captured, |told| swap(told, "@transit", "@cash"));
    changed_is_found("other side", credited, |told| swap(told, "@transit", "@cash"));
}
