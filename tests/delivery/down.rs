//! A destination that is down for three days, on a clock that the test sets, while a hundred thousand events are booked.

use std::collections::{BTreeMap, VecDeque};

use bookonce::domain::delivery::beat::Beat;
use bookonce::domain::delivery::decide::DeliveryOperation;
use bookonce::domain::delivery::flow::{Flow, Message, Next};
use bookonce::domain::delivery::terms::{Guarantee, Order};
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;

use crate::world::{Answer, after, attempted, served, terms};

const EVENTS: u64 = 100_000;
const ACCOUNTS: u64 = 997;
const DAY_MS: u64 = 24 * 3_600 * 1_000;
const DOWN_MS: u64 = 3 * DAY_MS;

fn beat(tick_ms: u64) -> Beat {
    let wall = Timestamp::from_micros(1_764_000_000_000_000 + i64::try_from(tick_ms).unwrap() * 1_000);
    let dice = (tick_ms.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).try_into().unwrap();
    Beat { tick_ms, wall, dice }
}

fn message(number: u64) -> Message {
    let stream = StreamName::parse(&format!("account-a{}", number % ACCOUNTS)).unwrap();
    Message { position: number + 1, stream, revision: number / ACCOUNTS, bytes: 500 }
}

/// Guards against: a night's outage that makes dead letters, or after which the messages come out of order or twice.
#[test]
fn three_days_down_make_no_letter_and_then_all_come_in_order() {
    for answer in [Answer::Down, Answer::Unreachable] {
        let mut state = served(&terms(Guarantee::AtLeastOnce, Order::Account));
        let mut flow = Flow::new(&state, 0, &beat(0)).unwrap();
        let (mut tick, mut offered, mut probes, mut is_restarted) = (0, 0_u64, 0_u64, false);
        let (mut under_way, mut arrived) = (VecDeque::new(), Vec::new());
        while arrived.len() < usize::try_from(EVENTS).unwrap() || state.through != Some(EVENTS) {
            let booked = (tick * EVENTS / DOWN_MS).min(EVENTS);
            while offered < booked && flow.wants_more() {
                flow.offer(message(offered));
                offered += 1;
            }
            if tick > DOWN_MS / 2 && !is_restarted && under_way.is_empty() {
                // The process is killed in the second night.
                is_restarted = true;
                flow = Flow::new(&state, 0, &beat(tick)).unwrap();
                offered = state.through.unwrap_or_default();
                continue;
            }
            match flow.next(&beat(tick)) {
                Next::Send { position, is_late, .. } => {
                    assert!(!is_late, "{position} is called late");
                    under_way.push_back(position);
                }
                Next::Record(progress) => {
                    assert!(progress.parked.is_empty(), "{progress:?}");
                    state = after(Some(&state), &DeliveryOperation::Progress(progress));
                    flow.recorded(true);
                }
                Next::Wait(until) => match under_way.pop_front() {
                    Some(position) if tick < DOWN_MS => {
                        probes += 1;
                        flow.answered(position, attempted(answer), &beat(tick));
                    }
                    Some(position) => {
                        arrived.push(position);
                        flow.answered(position, attempted(Answer::Delivered), &beat(tick));
                    }
                    None => {
                        let next_booked = (booked + 1) * DOWN_MS / EVENTS + 1;
                        let wants = offered < EVENTS && flow.wants_more();
                        let until = [until, wants.then_some(next_booked)].into_iter().flatten().min();
                        tick = until.expect("it waits for nothing").max(tick + 1);
                    }
                },
                other => panic!("{other:?}"),
            }
        }
        assert!(state.parked.is_empty() && is_restarted);
        // One probe a minute at the least, and at most a few in each.
        assert!((DOWN_MS / 60_000..20 * DOWN_MS / 60_000).contains(&probes), "{probes} probes");
        assert_eq!(arrived.len(), usize::try_from(EVENTS).unwrap());
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        for position in arrived {
            let (account, revision) = ((position - 1) % ACCOUNTS, (position - 1) / ACCOUNTS);
            let before = last.insert(account, revision);
            assert_eq!(before.map_or(0, |before| before + 1), revision, "{position} is out of order");
        }
    }
}
