//! An answer of a provider is read strictly: with every doubt it is unknown, because money is captured or released on it.

use serde::{Deserialize, Deserializer};

use crate::domain::money::{Amount, WrittenAmount};
use crate::domain::transfer::Transfer;
use crate::domain::transfer::call::{Call, Said};
use crate::domain::transfer::payout::{Label, Payout, Settlement};

use super::line::{LONGEST_REPLY, Reply};

/// The `Answer` has the members that an answer may have, each once. Any other member makes it unknown, as a null does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    outcome: Outcome,
    #[serde(default, deserialize_with = "there")]
    amount: Option<String>,
    #[serde(default, deserialize_with = "there")]
    reference: Option<String>,
    #[serde(default, deserialize_with = "there")]
    code: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done,
    Declined,
    Working,
    Unknown,
}

fn there<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// Reads a reply to a call about this transfer's payout.
pub(super) fn read(reply: &Reply, call: Call, transfer: &Transfer) -> Said {
    if reply.body.len() > LONGEST_REPLY {
        return Said::Unknown;
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&reply.body) else { return Said::Unknown };
    let is_taken = (200..300).contains(&reply.status);
    let outcome = match answer.outcome {
        Outcome::Done if is_taken => Payout::Done,
        Outcome::Declined if (is_taken || reply.status == 402) && answer.amount.is_none() => Payout::Declined,
        Outcome::Working if is_taken && answer.amount.is_none() => return Said::Working,
        Outcome::Done | Outcome::Declined | Outcome::Working | Outcome::Unknown => return Said::Unknown,
    };
    let Ok(part) = answer.amount.map(|text| part(&text, transfer).ok_or(())).transpose() else {
        return Said::Unknown;
    };
    Said::Settled(Settlement {
        outcome,
        learnt_by: call.teaches(),
        amount: part.filter(|part| *part < transfer.terms.amount).map(Into::into),
        reference: answer.reference.as_deref().and_then(Label::cut),
        code: answer.code.as_deref().and_then(Label::cut),
        reason: None,
    })
}

/// Reads the amount that was paid; `None` where it can't be: it is none of the currency, or more than was asked.
fn part(text: &str, transfer: &Transfer) -> Option<Amount> {
    let amount = WrittenAmount::parse(text).ok()?.fit(transfer.terms.currency).ok()?;
    (amount <= transfer.terms.amount).then_some(amount)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::ids::{AccountName, TransactionId};
    use crate::domain::payee::Payee;
    use crate::domain::time::Timestamp;
    use crate::domain::transfer::command::TimeoutSeconds;
    use crate::domain::transfer::event::Terms;

    fn transfer() -> Transfer {
        let currency = Currency::parse("EUR").unwrap();
        let terms = Terms {
            from: AccountName::parse("alice").unwrap(),
            to: Payee::parse("@external:atm").unwrap(),
            amount: WrittenAmount::parse("40.00").unwrap().fit(currency).unwrap(),
            currency,
            timeout_seconds: TimeoutSeconds::default(),
            deadline_at: Timestamp::from_micros(0),
        };
        Transfer::new(TransactionId::parse("018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e").unwrap(), &Arc::new(terms))
    }

    fn said(status: u16, body: &str) -> Said {
        read(&Reply { status, body: body.as_bytes().to_vec() }, Call::Pay, &transfer())
    }

    fn settled(status: u16, body: &str) -> Settlement {
        match said(status, body) {
            Said::Settled(settlement) => settlement,
            other @ (Said::Working | Said::Unknown) => panic!("{body}: {other:?}"),
        }
    }

    /// Guards against: money that is captured or released on an answer that says neither.
    #[test]
    fn what_is_not_plainly_an_answer_is_unknown() {
        let long = format!("{{\"outcome\":\"done\",\"reference\":\"{}\"}}", "a".repeat(70 * 1024));
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, "<html>done</html>"),
            (200, "null"),
            (200, "\"done\""),
            (200, "[{\"outcome\":\"done\"}]"),
            (200, "{\"outcome\":\"done\"} x"),
            (200, "{\"outcome\":\"done\",\"outcome\":\"declined\"}"),
            (200, "{\"outcome\":\"declined\",\"outcome\":\"declined\"}"),
            (200, "{\"outcome\":\"Done\"}"),
            (200, "{\"outcome\":null}"),
            (200, "{\"outcome\":true}"),
            (200, "{\"outcome\":\"unknown\"}"),
            (200, "{\"outcome\":\"done\",\"fee\":\"1.00\"}"),
            (200, "{\"outcome\":\"done\",\"amount\":null}"),
            (200, "{\"outcome\":\"done\",\"amount\":40}"),
            (200, "{\"outcome\":\"done\",\"amount\":\"0.00\"}"),
            (200, "{\"outcome\":\"done\",\"amount\":\"-1.00\"}"),
            (200, "{\"outcome\":\"done\",\"amount\":\"40.01\"}"),
            (200, "{\"outcome\":\"done\",\"amount\":\"1.000\"}"),
            (200, "{\"outcome\":\"declined\",\"amount\":\"1.00\"}"),
            (200, "{\"outcome\":\"working\",\"amount\":\"1.00\"}"),
            (302, "{\"outcome\":\"done\"}"),
            (402, "{\"outcome\":\"done\"}"),
            (404, "{\"outcome\":\"declined\"}"),
            (500, "{\"outcome\":\"declined\"}"),
            (402, "{\"outcome\":\"working\"}"),
            (200, long.as_str()),
        ] {
            assert_eq!(said(status, body), Said::Unknown, "{status} {}", &body[..body.len().min(80)]);
        }
    }

    #[test]
    fn a_plain_answer_is_taken_with_what_it_says() {
        assert_eq!(said(202, "{\"outcome\":\"working\"}"), Said::Working);
        let done = settled(201, "{\"outcome\":\"done\",\"amount\":\"40.00\",\"reference\":\"a\\nb\"}");
        assert_eq!((done.outcome, done.amount), (Payout::Done, None));
        assert_eq!(done.reference.unwrap().as_str(), "ab");
        let part = settled(200, "{\"outcome\":\"done\",\"amount\":\"39.9\"}");
        assert_eq!(part.amount.unwrap().to_string(), "39.90");
        let declined = format!("{{\"outcome\":\"declined\",\"code\":\"{}\"}}", "ü".repeat(200));
        for status in [200, 402] {
            let declined = settled(status, &declined);
            assert_eq!((declined.outcome, declined.amount), (Payout::Declined, None));
            assert_eq!(declined.code.unwrap().as_str(), "ü".repeat(128));
        }
    }
}
