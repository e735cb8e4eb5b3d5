//! This history has every event of a client's hold, and every decline of one but the thousand and first, written by hand.

use super::history::{Teller, Told, entries, id};

const A: &str = "alice";

/// Returns what an event says that places a hold next.
pub(super) fn placed(t: &Teller, amount: &str, seconds: u64) -> String {
    format!(
        r#""amount":"{amount}","currency":"EUR","expires_in_seconds":{seconds},"expires_at":"{}""#,
        t.now_and(seconds)
    )
}

/// Returns what an event says that captures a hold of alice's.
pub(super) fn captured(hold: &str, amount: &str) -> String {
    let entries = entries(A, &format!("-{amount}"), "@cash");
    format!(r#""hold":"{hold}","amount":"{amount}","currency":"EUR",{entries}"#)
}

/// Returns what an event says that gives a hold back, or lets it expire.
pub(super) fn settled(hold: &str, amount: &str) -> String {
    format!(r#""hold":"{hold}","amount":"{amount}","currency":"EUR""#)
}

/// Tells the expiry of a hold.
pub(super) fn expires(t: &mut Teller, hold: &str, amount: &str, answer: (&str, &str)) {
    t.own("account-alice", (hold, "expiry:1"), "HoldExpired", &settled(hold, amount), answer);
}

/// Makes the history.
pub(crate) fn held() -> Vec<Told> {
    let mut t = Teller::default();
    t.tell(A, "AccountOpened", r#""currency":"EUR","overdraft_limit":"10.00""#, "0.00", "10.00");
    t.moves(A, "100.00", "EUR", "100.00", "110.00");
    let capture = captures(&mut t);
    releases_and_expires(&mut t);
    prevents(&mut t);
    let back = format!(r#""reverses":"{}","reason":"""#, id(3));
    t.declines(A, "reversal not_reversible", &back, "75.00", "85.00");
    let back = entries(A, "25.00", "@cash");
    let back = format!(r#""reverses":"{capture}","amount":"25.00","currency":"EUR",{back},"reason":"""#);
    t.tell(A, "Reversed", &back, "100.00", "110.00");
    freezes(&mut t);
    closes(&mut t);
    t.events
}

fn captures(t: &mut Teller) -> String {
    let hold = t.tell(A, "HoldPlaced", &placed(t, "40.00", 3_600), "100.00", "70.00");
    let fields = r#""amount":"70.01","counter_account":"@cash""#;
    t.declines(A, "withdrawal insufficient_funds", fields, "100.00", "70.00");
    let fields = r#""amount":"70.01","expires_in_seconds":9,"metadata":{"k":"v"}"#;
    t.declines(A, "hold insufficient_funds", fields, "100.00", "70.00");
    let part = captured(&hold, "25.00") + r#","released":"15.00","partial":true,"metadata":{"k":"v"}"#;
    let capture = t.tell(A, "HoldCaptured", &part, "75.00", "85.00");
    let again =
        format!(r#""hold":"{hold}","amount":"1.00","counter_account":"@cash","metadata":{{"k":"v"}}"#);
    t.declines(A, "capture hold_already_settled", &again, "75.00", "85.00");
    capture
}

fn releases_and_expires(t: &mut Teller) {
    let hold =
        t.tell(A, "HoldPlaced", &(placed(t, "30.00", 3_600) + r#","metadata":{"k":"v"}"#), "75.00", "55.00");
    t.tell(A, "HoldReleased", &(settled(&hold, "30.00") + r#","reason":"not taken""#), "75.00", "85.00");
    t.declines(A, "release hold_already_settled", &format!(r#""hold":"{hold}""#), "75.00", "85.00");
    let hold = t.tell(A, "HoldPlaced", &placed(t, "5.00", 60), "75.00", "80.00");
    let fields = format!(r#""hold":"{hold}","amount":"5.01","counter_account":"@cash""#);
    t.declines(A, "capture capture_exceeds_hold", &fields, "75.00", "80.00");
    t.waited += 100;
    expires(t, &hold, "5.00", ("75.00", "85.00"));
    let fields = format!(r#""hold":"{hold}","counter_account":"@cash""#);
    t.declines(A, "capture hold_expired", &fields, "75.00", "85.00");
    t.declines(A, "release hold_expired", &format!(r#""hold":"{hold}","reason":"""#), "75.00", "85.00");
}

/// A hold that is ruled out by its own release, and one by a reversal.
fn prevents(t: &mut Teller) {
    let full = ("75.00", "85.00");
    for (number, kind) in [(3_000, "HoldPrevented"), (3_001, "Prevented")] {
        let out = match kind {
            "HoldPrevented" => format!(r#""hold":"{}","currency":"EUR""#, id(number)),
            _ => format!(r#""reverses":"{}","currency":"EUR","reason":"""#, id(number)),
        };
        let by = t.tell(A, kind, &out, full.0, full.1);
        let release = format!(r#""hold":"{}""#, id(number));
        t.declines(A, "release hold_already_settled", &release, full.0, full.1);
        let fields = format!(
            r#""operation":"hold","code":"prevented","currency":"EUR","amount":"1.00","expires_in_seconds":9,"prevented_by":"{by}""#
        );
        t.tell_as(number, A, "Declined", &fields, full.0, full.1);
        t.declines(A, "release hold_already_settled", &release, full.0, full.1);
    }
}

/// A capture passes a freeze, and a limit that was lowered under the hold.
fn freezes(t: &mut Teller) {
    let change = r#""currency":"EUR","reason":"""#;
    let hold = t.tell(A, "HoldPlaced", &placed(t, "105.00", 3_600), "100.00", "5.00");
    t.tell(A, "Frozen", change, "100.00", "5.00");
    let fields = r#""amount":"1.00","expires_in_seconds":9"#;
    t.declines(A, "hold account_frozen", fields, "100.00", "5.00");
    t.tell(A, "OverdraftLimitChanged", &format!(r#""overdraft_limit":"0.00",{change}"#), "100.00", "-5.00");
    t.tell(A, "HoldCaptured", &captured(&hold, "105.00"), "-5.00", "-5.00");
    t.tell(A, "Unfrozen", change, "-5.00", "-5.00");
    t.moves(A, "5.00", "EUR", "0.00", "0.00");
    t.tell(A, "OverdraftLimitChanged", &format!(r#""overdraft_limit":"10.00",{change}"#), "0.00", "10.00");
}

/// A hold on the overdraft alone bars the closing. Two holds come due together, and expire in the order of their times.
fn closes(t: &mut Teller) {
    let reason = r#""reason":"""#;
    let hold = t.tell(A, "HoldPlaced", &placed(t, "10.00", 3_600), "0.00", "0.00");
    t.declines(A, "close holds_open", reason, "0.00", "0.00");
    t.tell(A, "HoldReleased", &settled(&hold, "10.00"), "0.00", "10.00");
    let later = t.tell(A, "HoldPlaced", &placed(t, "1.00", 30), "0.00", "9.00");
    let sooner = t.tell(A, "HoldPlaced", &placed(t, "2.00", 10), "0.00", "7.00");
    t.waited += 40;
    expires(t, &sooner, "2.00", ("0.00", "9.00"));
    expires(t, &later, "1.00", ("0.00", "10.00"));
    t.tell(A, "Closed", &format!(r#""currency":"EUR",{reason}"#), "0.00", "10.00");
    t.declines(A, "hold account_closed", r#""amount":"1.00","expires_in_seconds":9"#, "0.00", "10.00");
    t.declines(A, "release account_closed", &format!(r#""hold":"{hold}""#), "0.00", "10.00");
    t.tell(A, "HoldPrevented", &format!(r#""hold":"{}","currency":"EUR""#, id(3_002)), "0.00", "10.00");
}
