//! These strategies of proptest make up any event.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use bookonce::domain::account::corrected::{AskedChange, Corrected};
use bookonce::domain::account::decline::Decline;
use bookonce::domain::account::event::{AccountEvent, Answer, Fact, Movement, Terms};
use bookonce::domain::command::{
    BalanceChange, Capturing, Correction, HoldSeconds, LimitChange, Move, Operation, Placing, Reason,
    Releasing, Reversal,
};
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Body, Event};
use bookonce::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::{Amount, Direction, Money};
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

const NASTY: &[char] = &[
    '"',
    '\\',
    '/',
    '{',
    '}',
    ',',
    ':',
    '\u{2028}',
    '\u{202e}',
    '\u{feff}',
    '\u{fffd}',
    '<',
    '&',
    '=',
    '@',
    '\'',
    'é',
    '🦀',
    '\u{10ffff}',
    ' ',
];

/// Characters that a client may send and somebody's parser will stumble over.
fn nasty() -> impl Strategy<Value = char> {
    prop_oneof![
        select(NASTY),
        any::<char>().prop_filter("a control character", |c| !c.is_control()),
        proptest::char::range('a', 'z')
    ]
}

fn text(least: usize, most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(nasty(), least..=most).prop_map(|chars| chars.into_iter().collect())
}

/// Returns a value of metadata, which may have tabs and line feeds too.
fn value() -> impl Strategy<Value = String> {
    let character = prop_oneof![9 => nasty(), 1 => select(&['\t', '\n'][..])];
    proptest::collection::vec(character, 0..20).prop_map(|chars| chars.into_iter().collect())
}

fn reason() -> impl Strategy<Value = Reason> {
    text(1, 40).prop_map(|text| Reason::parse(&text).unwrap())
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let pairs = proptest::collection::btree_map(text(1, 8), value(), 0..4);
    prop_oneof![Just(Metadata::default()), pairs.prop_map(|pairs| Metadata::new(pairs).unwrap())]
}

fn id() -> impl Strategy<Value = TransactionId> {
    (1..=u128::MAX).prop_map(|bits| TransactionId::from_uuid(Uuid::from_u128(bits)).unwrap())
}

fn counter_account() -> impl Strategy<Value = CounterAccount> {
    select(&["@cash", "@fees", "@a-b.c:d_1"][..]).prop_map(|name| CounterAccount::parse(name).unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    // 1900 to 2199.
    (-2_208_988_800_000_000..7_258_118_399_999_999_i64).prop_map(Timestamp::from_micros)
}

/// Returns a sum of so many minor units.
fn sum(units: i128, currency: Currency) -> Money {
    let places = currency.decimals() as usize;
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    let point = if places > 0 { "." } else { "" };
    Money::read(&format!("{sign}{whole}{point}{fraction}"), currency).unwrap()
}

fn amount(currency: Currency) -> impl Strategy<Value = Amount> {
    (1..=10_i128.pow(15)).prop_map(move |units| Amount::new(sum(units, currency)).unwrap())
}

/// Returns how far below zero an account may go.
fn limit(currency: Currency) -> impl Strategy<Value = Money> {
    amount(currency).prop_map(Amount::money)
}

fn balance(currency: Currency) -> impl Strategy<Value = Money> {
    (-10_i128.pow(22)..10_i128.pow(22)).prop_map(move |units| sum(units, currency))
}

fn movement(currency: Currency) -> impl Strategy<Value = Movement> {
    (amount(currency), counter_account(), any::<bool>(), metadata()).prop_map(
        |(amount, counter_account, effective_at_given, metadata)| Movement {
            amount,
            counter_account,
            effective_at_given,
            metadata,
        },
    )
}

fn decline() -> impl Strategy<Value = Decline> {
    (select(&Decline::CODES[..]), id()).prop_map(|(code, by)| {
        Decline::from_code(code, (code == "prevented").then_some(Id::Client(by))).unwrap()
    })
}

fn operation(currency: Currency, at: Timestamp) -> impl Strategy<Value = Operation> {
    let asked = move || {
        movement(currency).prop_map(move |moved| Move {
            amount: moved.amount.into(),
            counter_account: moved.counter_account,
            effective_at: moved.effective_at_given.then_some(at),
            metadata: moved.metadata,
        })
    };
    let reversal = (id(), proptest::option::of(amount(currency)), reason(), any::<bool>());
    prop_oneof![
        asked().prop_map(Operation::Deposit),
        asked().prop_map(Operation::Withdraw),
        reversal.prop_map(|(reverses, amount, reason, force)| Operation::Reverse(Reversal {
            reverses,
            amount: amount.map(Into::into),
            reason,
            force
        })),
        correction(currency, at).prop_map(|asked| Operation::Correct(Box::new(asked))),
        reason().prop_map(Operation::Freeze),
        reason().prop_map(Operation::Unfreeze),
        reason().prop_map(Operation::Close),
        (limit(currency), reason()).prop_map(|(limit, reason)| Operation::SetOverdraftLimit(LimitChange {
            overdraft_limit: limit.into(),
            reason
        })),
        (amount(currency), seconds(), metadata()).prop_map(|(amount, expires_in_seconds, metadata)| {
            Operation::Hold(Placing { amount: amount.into(), expires_in_seconds, metadata })
        }),
        (id(), proptest::option::of(amount(currency)), counter_account(), metadata()).prop_map(
            |(hold, amount, counter_account, metadata)| Operation::Capture(Capturing {
                hold: Id::Client(hold),
                amount: amount.map(Into::into),
                counter_account,
                metadata,
                to: None
            })
        ),
        (id(), proptest::option::of(reason()))
            .prop_map(|(hold, reason)| Operation::Release(Releasing { hold: Id::Client(hold), reason })),
    ]
}

fn seconds() -> impl Strategy<Value = HoldSeconds> {
    (1..=u64::from(HoldSeconds::MOST)).prop_map(|seconds| HoldSeconds::new(seconds).unwrap())
}

/// Returns what a client does to holds, booked.
fn of_holds(currency: Currency) -> BoxedStrategy<Fact> {
    let sums = (amount(currency), proptest::option::of(amount(currency)));
    prop_oneof![
        (amount(currency), seconds(), time(), metadata()).prop_map(
            |(amount, expires_in_seconds, expires_at, metadata)| Fact::HoldPlaced {
                amount,
                terms: Terms::Client { expires_in_seconds, expires_at, metadata }
            }
        ),
        (id(), sums, counter_account(), any::<bool>(), metadata()).prop_map(
            |(hold, (amount, released), counter_account, partial, metadata)| Fact::HoldCaptured {
                hold: Id::Client(hold),
                amount,
                released,
                counter_account,
                partial,
                metadata,
                to: None
            }
        ),
        (id(), amount(currency), proptest::option::of(reason())).prop_map(|(hold, amount, reason)| {
            Fact::HoldReleased { hold: Id::Client(hold), amount, reason }
        }),
        (id(), proptest::option::of(reason()))
            .prop_map(|(hold, reason)| Fact::HoldPrevented { hold: Id::Client(hold), reason }),
    ]
    .boxed()
}

/// Returns what a correction asks for. Its amount is in the currency, as an event keeps it.
fn correction(currency: Currency, at: Timestamp) -> impl Strategy<Value = Correction> {
    let target = (-10_i128.pow(15)..10_i128.pow(15)).prop_map(move |units| sum(units, currency));
    let to = (target, any::<u64>()).prop_map(|(balance, expected_revision)| BalanceChange::To {
        balance: balance.into(),
        expected_revision,
    });
    let by = (amount(currency), any::<bool>(), proptest::option::of(any::<u64>()), any::<bool>()).prop_map(
        move |(amount, credits, expected_revision, given)| BalanceChange::By {
            amount: amount.into(),
            direction: if credits { Direction::Credit } else { Direction::Debit },
            expected_revision,
            effective_at: given.then_some(at),
        },
    );
    let corrects = proptest::collection::hash_set(id(), 0..=16).prop_map(|ids| ids.into_iter().collect());
    (prop_oneof![to, by], reason(), corrects, any::<bool>())
        .prop_map(|(change, reason, corrects, force)| Correction { change, reason, corrects, force })
}

/// Returns a correction that was booked. Where a balance was asked for, any amount may have been needed.
fn corrected(currency: Currency, at: Timestamp) -> impl Strategy<Value = Corrected> {
    let needed = (amount(currency), any::<bool>());
    (correction(currency, at), needed).prop_map(move |(asked, (needed, credits))| {
        let (amount, direction, change) = match asked.change {
            BalanceChange::To { balance, expected_revision } => {
                let balance = balance.fit(currency).unwrap();
                let direction = if credits { Direction::Credit } else { Direction::Debit };
                (needed, direction, AskedChange::To { balance, expected_revision })
            }
            BalanceChange::By { amount, direction, expected_revision, effective_at } => {
                let effective_at_given = effective_at.is_some();
                let amount = amount.fit(currency).unwrap();
                (amount, direction, AskedChange::By { expected_revision, effective_at_given })
            }
        };
        let Correction { reason, corrects, force, .. } = asked;
        Corrected { amount, direction, asked: change, reason, corrects, force }
    })
}

fn fact(currency: Currency, at: Timestamp) -> BoxedStrategy<Fact> {
    let reversed = (id(), amount(currency), counter_account(), reason(), any::<[bool; 3]>());
    prop_oneof![
        (limit(currency), metadata())
            .prop_map(|(overdraft_limit, metadata)| Fact::AccountOpened { overdraft_limit, metadata }),
        movement(currency).prop_map(Fact::Deposited),
        movement(currency).prop_map(Fact::Withdrawn),
        reversed.prop_map(|(reverses, amount, counter_account, reason, [credits, partial, force])| {
            let direction = if credits { Direction::Credit } else { Direction::Debit };
            Fact::Reversed { reverses, amount, direction, counter_account, reason, partial, force }
        }),
        (id(), reason(), any::<bool>()).prop_map(|(reverses, reason, force)| Fact::Prevented {
            reverses,
            reason,
            force
        }),
        corrected(currency, at).prop_map(|corrected| Fact::Corrected(Box::new(corrected))),
        reason().prop_map(Fact::Frozen),
        reason().prop_map(Fact::Unfrozen),
        reason().prop_map(Fact::Closed),
        (limit(currency), reason())
            .prop_map(|(overdraft_limit, reason)| Fact::OverdraftLimitChanged { overdraft_limit, reason }),
        of_holds(currency),
        (operation(currency, at), decline())
            .prop_map(|(operation, decline)| Fact::Declined { operation, decline }),
    ]
    .boxed()
}

fn origin() -> impl Strategy<Value = Origin> {
    let ids = (proptest::option::of(text(0, 12)), proptest::option::of(text(0, 12)), text(1, 8));
    ids.prop_map(|(correlation, causation, actor)| Origin {
        correlation: correlation.map(Into::into),
        causation: causation.map(Into::into),
        actor: Arc::from(actor),
    })
}

/// Makes any event.
pub fn event() -> impl Strategy<Value = Event> {
    let currency = select(&["JPY", "EUR", "KWD", "CLF"][..]).prop_map(|code| Currency::parse(code).unwrap());
    (currency, time(), time()).prop_flat_map(|(currency, recorded_at, effective_at)| {
        let account = "[A-Za-z0-9][A-Za-z0-9._:-]{0,63}".prop_map(|name| AccountName::parse(&name).unwrap());
        let answer = (balance(currency), balance(currency));
        (account, any::<u32>(), id(), fact(currency, effective_at), answer, origin()).prop_map(
            move |(account, revision, id, fact, (balance, available), origin)| {
                let answer = Answer { balance, available };
                Event {
                    stream: StreamName::Account(account),
                    revision: revision.into(),
                    id: Id::Client(id),
                    recorded_at,
                    body: Body::Account(AccountEvent { effective_at, currency, fact, answer }),
                    origin,
                }
            },
        )
    })
}
