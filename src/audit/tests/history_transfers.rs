//! This history has every event of a transfer, each of its ends, and what may come behind an end, written by hand.

use super::history::{Teller, Told, entries, id};

/// A story tells transfers between three accounts of which alice has the money.
#[derive(Clone)]
pub(super) struct Story {
    pub t: Teller,
    /// These are alice's balance, what is held there, and bob's balance, in cents.
    alice: i64,
    held: i64,
    bob: i64,
}

fn show(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

impl Story {
    /// Begins with three accounts, of which the third is closed.
    pub fn new() -> Self {
        let mut t = Teller::default();
        for account in ["alice", "bob", "carol"] {
            t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
        }
        t.tell("yen", "AccountOpened", r#""currency":"JPY","overdraft_limit":"0""#, "0", "0");
        t.tell("carol", "Closed", r#""currency":"EUR","reason":"""#, "0.00", "0.00");
        t.moves("alice", "1000.00", "EUR", "1000.00", "1000.00");
        Self { t, alice: 100_000, held: 0, bob: 0 }
    }

    fn on_alice(&mut self, of: &str, step: &str, kind: &'static str, data: &str) {
        let answer = (show(self.alice), show(self.alice - self.held));
        self.t.own("account-alice", (of, step), kind, data, (&answer.0, &answer.1));
    }

    fn on_bob(&mut self, of: &str, step: &str, kind: &'static str, data: &str) {
        let bob = show(self.bob);
        self.t.own("account-bob", (of, step), kind, data, (&bob, &bob));
    }

    /// Asks for a transfer out of alice's account, with a deadline in so many seconds.
    pub fn request(&mut self, number: u64, to: &str, amount: i64, seconds: u64) -> String {
        let amount = show(amount);
        let data = format!(
            r#""from":"alice","to":"{to}","amount":"{amount}","currency":"EUR","timeout_seconds":{seconds},"deadline_at":"{}""#,
            self.t.now_and(seconds)
        );
        self.client(&id(number), number, "TransferRequested", &data, "under_way");
        id(number)
    }

    /// Tells what a client or an operator did to a transfer.
    pub fn client(&mut self, of: &str, number: u64, kind: &'static str, data: &str, state: &str) {
        let metadata = format!(r#""$correlationId":"{}","actor":"key-1""#, id(number));
        self.t.push(&format!("transfer-{of}"), &id(number), kind, data, (state, ""), metadata);
    }

    /// Tells what the service noted of a transfer.
    pub fn note(&mut self, of: &str, step: &str, kind: &'static str, data: &str, state: &str) {
        self.t.own(&format!("transfer-{of}"), (of, step), kind, data, (state, ""));
    }

    pub fn hold(&mut self, of: &str, to: &str, amount: i64) {
        self.held += amount;
        let amount = show(amount);
        let data = format!(r#""amount":"{amount}","currency":"EUR","transfer":"{of}","to":"{to}""#);
        self.on_alice(of, "hold:1", "HoldPlaced", &data);
    }

    pub fn hold_declined(&mut self, of: &str, what: &str, to: &str, amount: i64) {
        let (code, by) = what.split_once(' ').unwrap_or((what, ""));
        let by = if by.is_empty() { String::new() } else { format!(r#","prevented_by":"{by}""#) };
        let data = format!(
            r#""operation":"transfer_hold","code":"{code}","currency":"EUR","transfer":"{of}","amount":"{}","to":"{to}"{by}"#,
            show(amount)
        );
        self.on_alice(of, "hold:1", "Declined", &data);
    }

    pub fn credit(&mut self, of: &str, amount: i64) {
        self.bob += amount;
        let amount = show(amount);
        let entries = entries("bob", &amount, "@transit");
        let data =
            format!(r#""amount":"{amount}","currency":"EUR",{entries},"transfer":"{of}","from":"alice""#);
        self.on_bob(of, "credit:1", "TransferCredited", &data);
    }

    /// Tells that a credit was declined, on bob's account or on another that has nothing.
    pub fn credit_declined(&mut self, of: &str, what: &str, to: &str, amount: i64) {
        let (code, by) = what.split_once(' ').unwrap_or((what, ""));
        let by = if by.is_empty() { String::new() } else { format!(r#","prevented_by":"{by}""#) };
        let data = format!(
            r#""operation":"transfer_credit","code":"{code}","currency":"EUR","transfer":"{of}","amount":"{}","from":"alice"{by}"#,
            show(amount)
        );
        if to == "bob" {
            return self.on_bob(of, "credit:1", "Declined", &data);
        }
        self.t.own(&format!("account-{to}"), (of, "credit:1"), "Declined", &data, ("0.00", "0.00"));
    }

    pub fn rule_out(&mut self, of: &str, code: &str) {
        let data = format!(r#""transfer":"{of}","currency":"EUR","code":"{code}""#);
        self.on_bob(of, "rule-out:1", "CreditPrevented", &data);
    }

    /// Tells that a hold was captured; so much of it is given back.
    pub fn capture(&mut self, of: &str, to: &str, amount: i64, released: i64) {
        self.alice -= amount;
        self.held -= amount + released;
        let counter = if to.starts_with('@') { to } else { "@transit" };
        let amount = show(amount);
        let entries = entries("alice", &format!("-{amount}"), counter);
        let released = match released {
            0 => String::new(),
            some => format!(r#","released":"{}""#, show(some)),
        };
        let data = format!(
            r#""hold":"{of}:hold:1","amount":"{amount}","currency":"EUR",{entries}{released},"transfer":"{of}","to":"{to}""#
        );
        self.on_alice(of, "capture:1", "HoldCaptured", &data);
    }

    pub fn release(&mut self, of: &str, amount: i64) {
        self.held -= amount;
        let amount = show(amount);
        let data = format!(r#""hold":"{of}:hold:1","amount":"{amount}","currency":"EUR","transfer":"{of}""#);
        self.on_alice(of, "release:1", "HoldReleased", &data);
    }

    pub fn hold_ruled_out(&mut self, of: &str) {
        let data = format!(r#""hold":"{of}:hold:1","currency":"EUR","transfer":"{of}""#);
        self.on_alice(of, "release:1", "HoldPrevented", &data);
    }

    pub fn completed(&mut self, of: &str, amount: i64) {
        let data = format!(r#""amount":"{}","currency":"EUR""#, show(amount));
        self.note(of, "end:1", "TransferCompleted", &data, "completed");
    }

    pub fn compensated(&mut self, of: &str, data: &str) {
        self.note(of, "end:1", "TransferCompensated", data, "compensated");
    }

    fn reversal_on(&mut self, account: &str, kind: &'static str, data: &str) -> String {
        let answer = match account {
            "bob" => (show(self.bob), show(self.bob)),
            _ => (show(self.alice), show(self.alice - self.held)),
        };
        self.t.tell(account, kind, data, &answer.0, &answer.1)
    }
}

/// Makes the history. The number of each transfer's ID is that of its story, and a thousand.
pub(super) fn transferred() -> Vec<Told> {
    let mut s = Story::new();
    completes(&mut s);
    is_not_moved(&mut s);
    is_stopped(&mut s);
    is_prevented(&mut s);
    stands_still(&mut s);
    pays_out(&mut s);
    does_not_pay_out(&mut s);
    needs_an_operator(&mut s);
    s.t.events
}

fn completes(s: &mut Story) {
    let of = s.request(1_001, "bob", 4_000, 60);
    s.hold(&of, "bob", 4_000);
    s.credit(&of, 4_000);
    s.capture(&of, "bob", 4_000, 0);
    s.completed(&of, 4_000);
    // One that is cancelled when its credit is booked goes on.
    let of = s.request(1_002, "bob", 1_000, 60);
    s.hold(&of, "bob", 1_000);
    s.credit(&of, 1_000);
    s.client(&of, 2_002, "TransferCancelRequested", REASON, "stopping");
    s.capture(&of, "bob", 1_000, 0);
    s.completed(&of, 1_000);
}

const REASON: &str = r#""reason":"because""#;

fn is_not_moved(s: &mut Story) {
    let of = s.request(1_003, "bob", 500_000, 60);
    s.hold_declined(&of, "insufficient_funds", "bob", 500_000);
    s.note(&of, "end:1", "TransferDeclined", r#""step":"hold","code":"insufficient_funds""#, "declined");
    let of = s.request(1_004, "carol", 500, 60);
    s.hold(&of, "carol", 500);
    s.credit_declined(&of, "account_closed", "carol", 500);
    s.release(&of, 500);
    s.compensated(&of, r#""step":"credit","code":"account_closed""#);
}

fn is_stopped(s: &mut Story) {
    let of = s.request(1_005, "bob", 600, 10);
    s.hold(&of, "bob", 600);
    s.t.waited += 20;
    s.note(&of, "timeout:1", "TransferTimedOut", "", "stopping");
    s.rule_out(&of, "timed_out");
    s.release(&of, 600);
    s.compensated(&of, r#""code":"timed_out""#);
    // What comes late is declined.
    s.credit_declined(&of, &format!("prevented {of}:rule-out:1"), "bob", 600);
    let fields = format!(r#""operation":"cancel","code":"transfer_ended",{REASON}"#);
    s.client(&of, 2_005, "Declined", &fields, "compensated");
    // One that is cancelled before its hold comes.
    let of = s.request(1_006, "bob", 700, 60);
    s.client(&of, 2_006, "TransferCancelRequested", REASON, "stopping");
    let fields = format!(r#""operation":"cancel","code":"wrong_state",{REASON}"#);
    s.client(&of, 2_007, "Declined", &fields, "stopping");
    s.rule_out(&of, "cancelled");
    s.hold_ruled_out(&of);
    s.note(&of, "end:1", "TransferCancelled", "", "cancelled");
    s.hold_declined(&of, &format!("prevented {of}:release:1"), "bob", 700);
}

/// A client's reversal names a transfer.
fn is_prevented(s: &mut Story) {
    let of = s.request(1_007, "bob", 800, 60);
    s.hold(&of, "bob", 800);
    let back = format!(r#""reverses":"{of}","reason":"""#);
    let not = r#""operation":"reversal","code":"not_reversible","currency":"EUR""#;
    s.reversal_on("alice", "Declined", &format!("{not},{back}"));
    let out = format!(r#""reverses":"{of}","currency":"EUR","reason":"""#);
    let by = s.reversal_on("bob", "Prevented", &out);
    s.credit_declined(&of, &format!("prevented {by}"), "bob", 800);
    s.release(&of, 800);
    s.compensated(&of, r#""step":"credit","code":"prevented""#);
    let of = s.request(1_008, "bob", 900, 60);
    let by = s.reversal_on("alice", "Prevented", &out.replace(&id(1_007), &of));
    s.hold_declined(&of, &format!("prevented {by}"), "bob", 900);
    s.note(&of, "end:1", "TransferDeclined", r#""step":"hold","code":"prevented""#, "declined");
}

fn stands_still(s: &mut Story) {
    let of = s.request(1_009, "bob", 1_100, 60);
    s.hold(&of, "bob", 1_100);
    s.credit(&of, 1_100);
    let stalls = r#""step":"capture","code":"store_damaged""#;
    s.note(&of, "stall:1", "TransferStalled", stalls, "needs_operator");
    s.client(&of, 2_009, "TransferAbandoned", REASON, "abandoned");
    s.client(&of, 2_010, "TransferResumed", REASON, "under_way");
    let fields = format!(r#""operation":"abandon","code":"wrong_state",{REASON}"#);
    s.client(&of, 2_011, "Declined", &fields, "under_way");
    s.note(&of, "stall:2", "TransferStalled", stalls, "needs_operator");
    let fields =
        format!(r#""operation":"outcome","code":"wrong_state","outcome":"done","amount":"1.00",{REASON}"#);
    s.client(&of, 2_012, "Declined", &fields, "needs_operator");
    s.client(&of, 2_013, "TransferResumed", REASON, "under_way");
    s.capture(&of, "bob", 1_100, 0);
    s.completed(&of, 1_100);
    let fields = format!(r#""operation":"retry","code":"transfer_ended",{REASON}"#);
    s.client(&of, 2_014, "Declined", &fields, "completed");
}

pub(super) const ATM: &str = "@external:atm";

fn pays_out(s: &mut Story) {
    let of = s.request(1_010, ATM, 10_000, 60);
    s.hold(&of, ATM, 10_000);
    let sent = r#""provider":"atm","repeat":"same_key","cancellable":true,"claim":"4f""#;
    s.note(&of, "payout:1", "PayoutSent", sent, "paying");
    let part = r#""outcome":"done","learnt_by":"reply","amount":"60.00","reference":"ü 7""#;
    s.note(&of, "settle:1", "PayoutSettled", part, "finishing");
    s.capture(&of, ATM, 6_000, 4_000);
    s.completed(&of, 6_000);
    let other = r#""outcome":"declined","learnt_by":"status","code":"no notes""#;
    s.note(&of, "contradiction:1", "PayoutContradicted", other, "needs_operator");
    s.client(&of, 2_015, "TransferAbandoned", REASON, "abandoned");
    let other = r#""outcome":"done","learnt_by":"status""#;
    s.note(&of, "contradiction:2", "PayoutContradicted", other, "needs_operator");
    let fields = format!(r#""operation":"retry","code":"wrong_state",{REASON}"#);
    s.client(&of, 2_016, "Declined", &fields, "needs_operator");
}

fn does_not_pay_out(s: &mut Story) {
    let of = s.request(1_011, ATM, 200, 10);
    s.hold(&of, ATM, 200);
    let sent = r#""provider":"atm","repeat":"never","claim":"50""#;
    s.note(&of, "payout:1", "PayoutSent", sent, "paying");
    let fields = format!(r#""operation":"cancel","code":"too_late",{REASON}"#);
    s.client(&of, 2_017, "Declined", &fields, "paying");
    s.t.waited += 20;
    s.note(&of, "timeout:1", "TransferTimedOut", "", "asking");
    s.note(&of, "settle:1", "PayoutSettled", r#""outcome":"declined","learnt_by":"status""#, "releasing");
    s.release(&of, 200);
    s.compensated(&of, r#""code":"payout_declined""#);
    // One that is stopped before its payout is sent.
    let of = s.request(1_012, ATM, 300, 10);
    s.hold(&of, ATM, 300);
    s.t.waited += 20;
    s.note(&of, "timeout:1", "TransferTimedOut", "", "stopping");
    s.release(&of, 300);
    s.compensated(&of, r#""code":"timed_out""#);
}

fn needs_an_operator(s: &mut Story) {
    let of = s.request(1_013, ATM, 400, 600);
    s.hold(&of, ATM, 400);
    let sent = r#""provider":"atm","repeat":"same_key","cancellable":true,"claim":"51""#;
    s.note(&of, "payout:1", "PayoutSent", sent, "paying");
    s.client(&of, 2_018, "TransferCancelRequested", REASON, "asking");
    s.note(
        &of,
        "stall:1",
        "TransferStalled",
        r#""step":"payout","code":"outcome_unknown""#,
        "needs_operator",
    );
    let said = format!(r#""outcome":"declined","learnt_by":"operator",{REASON}"#);
    s.client(&of, 2_019, "PayoutSettled", &said, "releasing");
    s.release(&of, 400);
    s.note(&of, "end:1", "TransferCancelled", "", "cancelled");
    // Of one in a restored ledger the payout may have been sent.
    let of = s.request(1_014, ATM, 500, 600);
    s.hold(&of, ATM, 500);
    s.note(&of, "stall:1", "TransferStalled", r#""step":"payout","code":"restored""#, "needs_operator");
    let said = format!(r#""outcome":"done","learnt_by":"operator","reference":"slip 9",{REASON}"#);
    s.client(&of, 2_020, "PayoutSettled", &said, "finishing");
    s.capture(&of, ATM, 500, 0);
    s.completed(&of, 500);
    // Two of which only the capture is missing when the history ends.
    for (number, amount) in [(1_015, 1_500), (1_016, 1_600)] {
        let of = s.request(number, "bob", amount, 600);
        s.hold(&of, "bob", amount);
        s.credit(&of, amount);
    }
    let of = id(1_016);
    s.note(&of, "stall:1", "TransferStalled", r#""step":"capture","code":"declined""#, "needs_operator");
    s.client(&of, 2_021, "TransferAbandoned", REASON, "abandoned");
}
