//! A forger changes what events say and computes every id and hash anew: the chain is right, and the rules tell.
//!
//! Each case names the place of the lie, and a word of why. Catches: a rule left out, a decline's precedence turned round, an
//! answer not recomputed, an ID looked up on the wrong account.

use super::audited;
use crate::audit::values::code::Code;

use super::history::{Teller, Told, entries, everything, export, id, lines, manifest};

/// Audits the history after a change, which must be found at this position for a reason that has these words.
fn lie(position: usize, why: &str, change: impl FnOnce(&mut Vec<Told>)) {
    let mut events = everything();
    change(&mut events);
    found(&events, position, why);
}

pub(super) fn found(events: &[Told], position: usize, why: &str) {
    let finding =
        audited(&export(events)).finding.unwrap_or_else(|| panic!("not found: {why} at {position}"));
    assert_eq!(finding.position(), Some(position as u64), "{finding}");
    assert!(finding.to_string().contains(why), "{finding} (no {why:?})");
}

/// Replaces text in what an event's data says.
fn swap(told: &mut Told, from: &str, to: &str) {
    assert!(told.data.contains(from), "{} has no {from}", told.data);
    told.data = told.data.replace(from, to);
}

fn place_of(events: &[Told], what: &str) -> usize {
    events.iter().position(|told| told.data.contains(what)).unwrap_or_else(|| panic!("no {what}"))
}

#[test]
fn a_wrong_answer() {
    let count = everything().len();
    for place in 0..count {
        lie(place + 1, "answer's balance", |events| {
            let digit = if events[place].balance.ends_with('1') { "2" } else { "1" };
            events[place].balance.pop();
            events[place].balance.push_str(digit);
        });
        lie(place + 1, "answer's available", |events| {
            let digit = if events[place].available.ends_with('1') { "2" } else { "1" };
            events[place].available.pop();
            events[place].available.push_str(digit);
        });
    }
}

#[test]
fn another_code_than_the_rules_give() {
    let events = everything();
    let declines = events.iter().enumerate().filter(|(_, told)| told.kind == "Declined");
    for (place, told) in declines.filter(|(_, told)| !told.data.contains("prevented_by")) {
        let code = told.data.split('"').nth(7).unwrap().to_owned();
        for other in Code::ALL.map(Code::text) {
            if other != code && other != "prevented" {
                lie(place + 1, &format!("declined: {code}"), |events| {
                    swap(&mut events[place], &format!(r#""code":"{code}""#), &format!(r#""code":"{other}""#));
                });
            }
        }
    }
}

#[test]
fn a_decline_of_what_was_allowed() {
    lie(3, "by the rules it is accepted", |events| {
        events[2].kind = "Declined";
        events[2].effective_at = None;
        events[2].data =
            r#""operation":"withdrawal","code":"insufficient_funds","currency":"EUR","amount":"40.00","counter_account":"@atm""#.into();
    });
}

#[test]
fn an_acceptance_of_what_was_to_be_declined() {
    lie(4, "by the rules it is declined: insufficient_funds", |events| {
        events[3].kind = "Withdrawn";
        events[3].data =
            format!(r#""amount":"110.01","currency":"EUR",{}"#, entries("alice", "-110.01", "@cash"));
        (events[3].balance, events[3].available) = ("-50.01".into(), "-0.01".into());
    });
    let thawed = place_of(&everything(), "account_frozen");
    lie(thawed + 1, "by the rules it is declined: account_frozen", |events| {
        events[thawed].kind = "Withdrawn";
        events[thawed].data =
            format!(r#""amount":"1.00","currency":"EUR",{}"#, entries("alice", "-1.00", "@cash"));
        (events[thawed].balance, events[thawed].available) = ("99.00".into(), "149.00".into());
    });
}

#[test]
fn an_entry_that_does_not_balance() {
    lie(2, "does not balance", |events| swap(&mut events[1], r#""-100.00""#, r#""-99.99""#));
    lie(2, "amount and kind", |events| {
        swap(&mut events[1], r#""amount":"100.00","currency"#, r#""amount":"99.00","currency"#)
    });
    lie(2, "amount and kind", |events| events[1].kind = "Withdrawn");
    lie(2, "another account", |events| swap(&mut events[1], r#""account":"alice""#, r#""account":"bob""#));
    lie(2, "other side", |events| swap(&mut events[1], "@cash", "@transit"));
    lie(2, "other side", |events| swap(&mut events[1], "@cash", "cash"));
}

#[test]
fn an_id_that_was_seen_before() {
    lie(6, "seen before, at position 2", |events| events[5].id = id(2));
    let bob = place_of(&everything(), "JPY");
    lie(bob + 1, "seen before, at position 1", |events| events[bob].id = id(1));
    lie(4, "transaction ID", |events| events[3].id = id(0).replace(['4', '8'], "0"));
    lie(4, "transaction ID", |events| events[3].id = "A0000000-0000-4000-8000-000000000001".into());
}

#[test]
fn a_reversal_of_more_another_way_or_elsewhere() {
    lie(5, "reversal_exceeds_original", |events| {
        events[4].data = events[4].data.replace("10.00", "40.01");
    });
    lie(6, "30.00 was left", |events| events[5].data = events[5].data.replace("30.00", "29.99"));
    lie(5, "direction of the original", |events| swap(&mut events[4], "@atm", "@cash"));
    lie(5, "direction of the original", |events| {
        events[4].data = events[4]
            .data
            .replace(r#""alice","amount":""#, r#""alice","amount":"-"#)
            .replace(r#""@atm","amount":"-"#, r#""@atm","amount":""#);
    });
    lie(6, "by the rules it is accepted: Prevented", |events| swap(&mut events[5], &id(3), &id(777)));
    lie(5, "never seen", |events| swap(&mut events[4], &id(3), &id(777)));
}

#[test]
fn a_prevention_that_is_none_or_not_heeded() {
    let events = everything();
    let prevented = events.iter().position(|told| told.kind == "Prevented").unwrap();
    let late = place_of(&events, "prevented_by");
    lie(prevented + 1, "not_reversible", |events| swap(&mut events[prevented], &id(1_000), &id(1)));
    lie(late + 1, "another transaction", |events| {
        let by = id(prevented as u64 + 1);
        swap(&mut events[late], &by, &id(1));
    });
    lie(late + 1, "declined: prevented", |events| {
        events[late].kind = "Deposited";
        events[late].data =
            format!(r#""amount":"1.00","currency":"EUR",{}"#, entries("alice", "1.00", "@fees"));
        (events[late].balance, events[late].available) = ("101.00".into(), "151.00".into());
    });
}

#[test]
fn a_life_that_no_account_has() {
    lie(1, "was never opened", |events| drop(events.remove(0)));
    lie(2, "exists already", |events| {
        let mut again = events[0].clone();
        (again.id, again.revision) = (id(9_999), 1);
        again.recorded_at = events[1].recorded_at.clone();
        events.insert(1, again);
    });
    lie(2, "revision", |events| events[1].revision = 2);
    lie(2, "revision 2 of its stream, where 1", |events| drop(events.remove(1)));
    lie(1, "revision", |events| events[0].revision = 1);
    lie(2, "no currency", |events| events[1].data = events[1].data.replace("EUR", "XXX"));
    lie(2, "currency is not the account's", |events| events[1].data = events[1].data.replace("EUR", "USD"));
}

#[test]
fn a_time_that_goes_back_or_is_none() {
    lie(3, "goes back", |events| events[2].recorded_at = "2026-11-21T01:59:59.999999Z".into());
    lie(3, "recorded_at is not a moment", |events| {
        events[2].recorded_at = "2026-11-31T02:00:02.000002Z".into()
    });
    lie(2, "the client gave none", |events| {
        events[1].effective_at = Some("2026-01-01T00:00:00.000000Z".into())
    });
    lie(3, "five minutes", |events| events[2].effective_at = Some("2026-11-21T02:05:02.000003Z".into()));
}

#[test]
fn what_is_not_known_is_never_skipped() {
    lie(2, "version 2", |events| events[1].version = 2);
    lie(2, "\"Gifted\"", |events| events[1].kind = "Gifted");
    lie(4, "\"hold_lost\"", |events| swap(&mut events[3], "insufficient_funds", "hold_lost"));
    lie(4, "\"gift\"", |events| swap(&mut events[3], "\"withdrawal\"", "\"gift\""));
    lie(2, "which is not known here", |events| events[1].stream = "bulk-1".into());
    lie(2, "account-", |events| events[1].stream = "Bulk-1".into());
    lie(2, "of type \"Deposited\"", |events| events[1].stream = "delivery-1".into());
    lie(2, "no name", |events| events[1].stream = "transfer-1".into());
    lie(2, "no name", |events| events[1].stream = "account-".into());
}

#[test]
fn a_line_in_another_spelling() {
    lie(2, "written", |events| swap(&mut events[1], ",\"currency\"", ", \"currency\""));
    lie(2, "written", |events| events[1].data.push_str(r#","extra":1"#));
    lie(2, "written", |events| events[1].data.push_str(r#","effective_at_given":false"#));
    lie(2, "written", |events| events[1].data.push_str(r#","metadata":{}"#));
    lie(2, "keys of the metadata", |events| events[1].data.push_str(r#","metadata":{"b":"","a":""}"#));
    lie(2, "keys of the metadata", |events| events[1].data.push_str(r#","metadata":{"a":"","a":""}"#));
    lie(2, "written", |events| events[1].metadata = r#""actor":"loopback","$correlationId":"x""#.into());
    lie(2, "written", |events| events[1].metadata = r#""$correlationId":"\u0041","actor":"loopback""#.into());
    lie(2, "no sum", |events| events[1].data = events[1].data.replace("100.00", "100.0"));
    lie(1, "no sum", |events| swap(&mut events[0], "50.00", "-50.00"));
    lie(2, "no sum", |events| events[1].balance = "100".into());
}

#[test]
fn an_event_that_is_taken_out_put_in_or_moved() {
    for place in 1..everything().len() - 1 {
        let mut events = everything();
        let gone = events.remove(place).stream;
        // The stream's next event shows it; of a stream's last one, with a new manifest, nothing is left to show it.
        if let Some(next) = events[place..].iter().position(|told| told.stream == gone) {
            found(&events, place + next + 1, "");
        }
        let mut events = everything();
        events.swap(place, place + 1);
        // Two streams do not show it, but time does.
        let finding = audited(&export(&events)).finding.and_then(|finding| finding.position());
        assert!(
            finding == Some(place as u64 + 1) || finding == Some(place as u64 + 2),
            "{place}: {finding:?}"
        );
    }
}

#[test]
fn a_journal_under_another_id() {
    let told = lines(&everything());
    let other = manifest(&told).replace("018f4e6e", "018f4e6f");
    let finding = audited((told.concat() + &other).as_bytes()).finding.unwrap();
    assert!(finding.to_string().contains("journal_id"), "{finding}");
}

#[test]
fn a_closed_account_rules_out_before_it_looks_further() {
    let mut t = Teller::default();
    let change = r#""currency":"EUR","reason":"""#;
    let rules_out = |id: &str| format!(r#""reverses":"{id}",{change}"#);
    t.tell("a", "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    let by = t.tell("a", "Prevented", &rules_out(&id(4)), "0.00", "0.00");
    t.tell("a", "Closed", change, "0.00", "0.00");
    // Its own ID was ruled out, and what it names was never seen: that counts even on a closed account.
    let fields = format!(r#""reverses":"{}","reason":"","prevented_by":"{by}""#, id(99));
    t.declines("a", "reversal prevented", &fields, "0.00", "0.00");
    assert_eq!(audited(&export(&t.events)).finding, None);
    swap(&mut t.events[3], &id(99), &id(1));
    found(&t.events, 4, "declined: account_closed");
}

/// Catches: an ID looked up in the whole ledger where the rule says on this account.
#[test]
fn what_was_seen_on_another_account_was_never_seen_here() {
    let mut t = Teller::default();
    for account in ["a", "b"] {
        t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    }
    let elsewhere = t.moves("a", "5.00", "EUR", "5.00", "5.00");
    let rules_out = format!(r#""reverses":"{elsewhere}","currency":"EUR","reason":"""#);
    t.tell("b", "Prevented", &rules_out, "0.00", "0.00");
    // Even an ID that rules itself out was not seen before it came.
    let itself = format!(r#""reverses":"{}","currency":"EUR","reason":"""#, id(5));
    t.tell("b", "Prevented", &itself, "0.00", "0.00");
    assert_eq!(audited(&export(&t.events)).finding, None);
    t.events[3].kind = "Reversed";
    t.events[3].data = format!(
        r#""reverses":"{elsewhere}","amount":"5.00","currency":"EUR",{},"reason":"""#,
        entries("b", "-5.00", "@cash")
    );
    found(&t.events, 4, "by the rules it is accepted: Prevented");
}
