//! These tests give the desk messages, times and answers, and look what it would do next.

use super::*;
use crate::client::outbox::state::Why;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const DOWN: Heard = Heard::NOTHING;
/// It draws the longest wait of a first attempt, which is a second.
const LONGEST: u64 = 1_000_000;

fn entry(number: Number, lines: &[&str]) -> Entry {
    let lines = lines.iter().map(|line| Arc::from(*line)).collect();
    let (state, due, deadline) = (State::Pending, Duration::ZERO, DAY);
    Entry { number, order: (number, 1, number), lines, state, attempts: 0, due, deadline }
}

fn desk(entries: &[(Number, &[&str])]) -> Desk {
    let mut desk = Desk::new(Pace::default(), false);
    entries.iter().for_each(|(number, lines)| desk.put(entry(*number, lines)));
    desk
}

impl Desk {
    /// Begins all that may be sent now.
    fn send(&mut self, now: Moment) -> Vec<Number> {
        let mut sent = Vec::new();
        while let Next::Send(number) = self.next(now) {
            self.begun(number);
            sent.push(number);
        }
        sent
    }

    fn hear(&mut self, number: Number, heard: Heard, now: Moment) -> State {
        self.heard(number, heard, now, LONGEST).unwrap().0
    }
}

#[test]
fn an_accounts_messages_go_one_after_the_other_and_other_accounts_beside_them() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["alice"]), (3, &["bob"]), (4, &["alice"])]);
    assert_eq!(desk.send(SECOND), [1, 3]);
    assert_eq!(desk.next(SECOND), Next::Answer);
    desk.hear(1, Heard::Confirmed, SECOND);
    assert_eq!(desk.send(SECOND), [2]);
    desk.hear(2, Heard::Declined, SECOND);
    assert_eq!(desk.send(SECOND), [4], "a decline holds nothing up");
    desk.hear(3, Heard::Confirmed, SECOND);
    desk.hear(4, Heard::Confirmed, SECOND);
    assert_eq!(desk.next(SECOND), Next::Nothing);
    assert!(desk.entries.is_empty() && desk.lines.is_empty(), "what is final is forgotten");
}

#[test]
fn a_transfer_stands_in_the_lines_of_both_its_accounts() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["alice", "bob"]), (3, &["bob"]), (4, &["carol"])]);
    assert_eq!(desk.send(SECOND), [1, 4]);
    desk.hear(1, Heard::Confirmed, SECOND);
    assert_eq!(desk.send(SECOND), [2]);
    desk.hear(2, Heard::Confirmed, SECOND);
    assert_eq!(desk.send(SECOND), [3]);
}

#[test]
fn one_that_needs_attention_holds_up_its_own_account_alone() {
    for (go_on, then) in [(false, vec![]), (true, vec![2])] {
        let mut desk = Desk::new(Pace::default(), go_on);
        for (number, line) in [(1, "alice"), (2, "alice"), (3, "bob")] {
            desk.put(entry(number, &[line]));
        }
        assert_eq!(desk.send(SECOND), [1, 3]);
        assert_eq!(desk.hear(1, Heard::Refused, SECOND), State::NeedsAttention(Why::Refused));
        desk.hear(3, Heard::Confirmed, SECOND);
        assert_eq!(desk.send(SECOND), then, "go on: {go_on}");
    }
}

#[test]
fn a_reversal_that_rules_out_goes_in_the_place_of_what_it_names() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["alice"]), (3, &["alice"])]);
    let unknown = State::NeedsAttention(Why::Unknown);
    desk.put(Entry { state: unknown, ..entry(2, &["alice"]) });
    desk.put(Entry { order: (2, 0, 9), ..entry(9, &["alice"]) });
    assert_eq!(desk.send(SECOND), [1]);
    desk.hear(1, Heard::Confirmed, SECOND);
    assert_eq!(desk.send(SECOND), [9]);
    desk.hear(9, Heard::Confirmed, SECOND);
    assert_eq!(desk.next(SECOND), Next::Nothing, "message 2 is not sent by itself, and holds up message 3");
    desk.put(Entry { state: State::RuledOut, ..entry(2, &["alice"]) });
    assert_eq!(desk.send(SECOND), [3]);
}

#[test]
fn what_replaces_a_message_goes_before_what_came_later() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["alice"])]);
    assert_eq!(desk.send(SECOND), [1]);
    desk.hear(1, Heard::Refused, SECOND);
    desk.put(Entry { state: State::Replaced, ..entry(1, &["alice"]) });
    desk.put(Entry { order: (1, 1, 3), ..entry(3, &["alice"]) });
    assert_eq!(desk.send(SECOND), [3]);
    desk.hear(3, Heard::Confirmed, SECOND);
    assert_eq!(desk.send(SECOND), [2]);
}

#[test]
fn without_an_answer_it_is_sent_again_after_its_wait_and_no_sooner() {
    let mut desk = desk(&[(1, &["alice"])]);
    assert_eq!(desk.send(SECOND), [1]);
    let waits = desk.heard(1, DOWN, SECOND, LONGEST);
    assert_eq!(waits, Some((State::Pending, SECOND)));
    assert_eq!(desk.next(SECOND), Next::Wait(SECOND * 2));
    assert_eq!(desk.next(SECOND * 2), Next::Send(1));
    desk.begun(1);
    let asked = Heard::Open { service_is_down: true, asked: Some(SECOND * 60) };
    desk.hear(1, asked, SECOND * 2);
    assert_eq!(desk.next(SECOND * 61), Next::Wait(SECOND * 62));
    assert_eq!(desk.entry(1).unwrap().attempts, 2);
}

#[test]
fn a_service_that_does_not_answer_is_asked_by_one_message_at_a_time() {
    let names: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    let mut desk = Desk::new(Pace::default(), false);
    names.iter().zip(1..).for_each(|(name, number)| desk.put(entry(number, &[name])));
    let sent = desk.send(SECOND);
    assert_eq!(sent.len(), Pace::default().most_under_way);
    for number in &sent {
        desk.hear(*number, DOWN, SECOND);
    }
    let Next::Wait(probe_at) = desk.next(SECOND) else { panic!("the breaker is shut") };
    assert_eq!(desk.send(probe_at).len(), 1, "one probe");
    assert_eq!(desk.next(probe_at), Next::Answer);
    let probe = desk.under_way().next().unwrap();
    desk.hear(probe, Heard::Confirmed, probe_at);
    assert_eq!(desk.send(probe_at).len(), Pace::default().most_under_way, "the service is back");
}

#[test]
fn a_request_that_is_still_running_says_nothing_against_the_service() {
    let mut desk = desk(&[(1, &["alice"])]);
    for second in 1..9 {
        assert_eq!(desk.send(SECOND * second * 60), [1]);
        desk.hear(1, Heard::Open { service_is_down: false, asked: None }, SECOND * second * 60);
        assert!(!desk.breaker.is_open());
    }
}

#[test]
fn repeats_are_bounded_and_first_attempts_are_not_held_up_by_them() {
    let pace = Pace { most_repeats: 2_000, breaker_opens_after: 99, ..Pace::default() };
    let mut desk = Desk::new(pace, false);
    for number in 1..=9 {
        desk.put(Entry { attempts: 1, ..entry(number, &[&format!("a{number}")]) });
    }
    assert_eq!(desk.send(Duration::ZERO), [1, 2]);
    desk.put(entry(20, &["b"]));
    assert_eq!(desk.send(Duration::ZERO), [20]);
    assert_eq!(desk.next(Duration::ZERO), Next::Wait(SECOND));
    assert_eq!(desk.send(SECOND), [3]);
}

#[test]
fn a_refused_key_stops_the_sender_and_not_the_message() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["bob"])]);
    assert_eq!(desk.send(SECOND), [1, 2]);
    assert_eq!(desk.hear(1, Heard::KeyRefused, SECOND), State::Pending);
    assert_eq!(desk.next(DAY / 2), Next::Answer);
    assert_eq!(desk.hear(2, Heard::Confirmed, SECOND), State::Confirmed);
    assert!(desk.is_stopped() && desk.next(DAY / 2) == Next::Nothing);
}

#[test]
fn past_its_deadline_a_message_is_not_sent_but_one_under_way_is_waited_for() {
    let mut desk = desk(&[]);
    desk.put(Entry { deadline: SECOND * 5, ..entry(1, &["alice"]) });
    desk.put(Entry { deadline: SECOND * 5, ..entry(2, &["alice"]) });
    assert_eq!(desk.send(SECOND), [1]);
    assert_eq!(desk.next(SECOND * 6), Next::Expire(2), "also one that waits for its turn");
    desk.put(Entry { state: State::NeedsAttention(Why::Unknown), ..entry(2, &["alice"]) });
    assert_eq!(desk.next(SECOND * 6), Next::Answer);
    assert_eq!(desk.hear(1, DOWN, SECOND * 6), State::Pending);
    assert_eq!(desk.next(SECOND * 6), Next::Expire(1));
}

#[test]
fn what_others_do_to_a_message_under_way_counts() {
    let mut desk = desk(&[(1, &["alice"]), (2, &["alice"])]);
    assert_eq!(desk.send(SECOND), [1]);
    desk.put(Entry { state: State::NeedsAttention(Why::Unknown), attempts: 1, ..entry(1, &["alice"]) });
    assert_eq!(desk.next(SECOND), Next::Answer);
    assert_eq!(desk.hear(1, DOWN, SECOND), State::NeedsAttention(Why::Unknown));
    assert_eq!(desk.next(SECOND * 60), Next::Nothing);
    desk.forget(1);
    assert_eq!(desk.send(SECOND * 60), [2]);
}
