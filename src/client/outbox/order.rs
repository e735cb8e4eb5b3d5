//! An order is what a person wants done, checked as the ledger would check it, and made into the request that will be sent.
//!
//! It is written as a line of a batch. The same reader is asked as in the service, so that a wrong amount is told before it
//! is stored, and not by an answer when the network is back.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::client::ids::derive;
use crate::client::request::Request;
use crate::domain::decide::{Refusal, check_request};
use crate::domain::ids::TransactionId;
use crate::domain::metadata::Origin;
use crate::wire::batch_line;
use crate::wire::commands::Frame;
use crate::wire::fault::Fault;
use crate::wire::field::{Field, Form};
use crate::wire::op::{BATCHED, Op};

/// An `Order` is a message before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// This is what is sent: the ID, the path and the body.
    pub request: Request,
    /// This is its name in a batch.
    pub op: String,
    /// These are the accounts that it touches: one, or two for a transfer.
    pub accounts: Vec<String>,
    /// This is the line that it was made of, with its ID and its fields in the order of their names.
    pub line: String,
}

/// A `Wrong` says why a text is no order, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Order {
    /// Reads a line of a batch. Where it has no ID of its own, it gets `fresh`.
    ///
    /// # Errors
    /// Fails with all that is wrong with the line.
    pub fn read(line: &str, fresh: TransactionId) -> Result<Self, Wrong> {
        let fields = fields(line);
        let has_id = fields.as_ref().is_none_or(|fields| fields.contains_key(Field::TransactionId.name()));
        let named = match line.trim().strip_prefix('{') {
            Some(rest) if !has_id => {
                let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
                format!("{{\"transaction_id\":\"{fresh}\"{comma}{rest}")
            }
            Some(_) | None => line.trim().to_owned(),
        };
        let origin = Origin { correlation: None, causation: None, actor: Arc::from("outbox") };
        let frame = Frame {
            account: None,
            hold: None,
            transfer: None,
            destination: None,
            transaction_id: None,
            origin,
        };
        let command = batch_line::command(named.as_bytes(), &frame).map_err(|fault| Wrong(said(&fault)))?;
        check_request(&command).map_err(|refusal| Wrong(refused(&refusal)))?;
        let id = command.id.client().ok_or_else(|| Wrong("it has no transaction ID".to_owned()))?;
        let mut fields = serde_json::from_str::<Map<String, Value>>(&named).unwrap_or_default();
        // A UUID may be spelt in more ways than one.
        fields.insert(Field::TransactionId.name().to_owned(), id.to_string().into());
        Self::of(id, fields).ok_or_else(|| Wrong("it can't be sent as a request of its own".to_owned()))
    }

    /// Makes the request of fields that were checked.
    fn of(id: TransactionId, fields: Map<String, Value>) -> Option<Self> {
        let line = Value::Object(fields.clone()).to_string();
        let text = |field: Field| fields.get(field.name()).and_then(Value::as_str).unwrap_or_default();
        let name = text(Field::Op);
        let op = Op::parse(name)?;
        let (account, hold) = (text(Field::Account), text(Field::Hold));
        let path = match op {
            Op::OpenAccount => "/v1/accounts".to_owned(),
            Op::Deposit => format!("/v1/accounts/{account}/deposits"),
            Op::Withdraw => format!("/v1/accounts/{account}/withdrawals"),
            Op::Reverse => format!("/v1/accounts/{account}/reversals"),
            Op::Hold => format!("/v1/accounts/{account}/holds"),
            Op::Capture => format!("/v1/accounts/{account}/holds/{hold}/capture"),
            Op::Release => format!("/v1/accounts/{account}/holds/{hold}/release"),
            Op::Transfer => "/v1/transfers".to_owned(),
            Op::Correct
            | Op::Freeze
            | Op::Unfreeze
            | Op::Close
            | Op::OverdraftLimit
            | Op::CancelTransfer
            | Op::TransferOutcome
            | Op::RetryTransfer
            | Op::AbandonTransfer
            | Op::PauseDestination
            | Op::ResumeDestination
            | Op::TestDestination => return None,
        };
        let both = [text(Field::From), text(Field::To)];
        let accounts = if op == Op::Transfer { &both[..] } else { &[account] };
        // A transfer that leaves the ledger is in the line of its account alone.
        let accounts: BTreeSet<&str> =
            accounts.iter().copied().filter(|name| !name.starts_with('@')).collect();
        let op = name.to_owned();
        let accounts = accounts.into_iter().map(str::to_owned).collect();
        // What stands in the path or in a header is no part of the body.
        let mut body = fields;
        for field in [Field::Op, Field::TransactionId, Field::Hold] {
            body.remove(field.name());
        }
        if path != "/v1/accounts" {
            body.remove(Field::Account.name());
        }
        let body = Value::Object(body).to_string().into_bytes();
        Some(Self { request: Request { id, path, body }, op, accounts, line })
    }

    /// Returns the ID.
    #[must_use]
    pub const fn id(&self) -> TransactionId {
        self.request.id
    }

    /// Makes an order of this one with other values, under an ID that follows from this one and them. So the same edit of a
    /// copy of the outbox makes the same message.
    ///
    /// # Errors
    /// Fails when a field can't be edited, or what is made of it is no order.
    pub fn edited(&self, changes: &[(String, String)]) -> Result<Self, Wrong> {
        let mut fields = fields(&self.line).unwrap_or_default();
        for (name, value) in changes {
            if [Field::Op.name(), Field::TransactionId.name()].contains(&name.as_str()) {
                return Err(Wrong(format!("{name} can't be edited: send another message in its place")));
            }
            set(&mut fields, name, value)?;
        }
        fields.remove(Field::TransactionId.name());
        let line = Value::Object(fields).to_string();
        let id = derive("outbox edit", &format!("{} {line}", self.id()));
        Self::read(&line, id)
    }

    /// Makes the order that rules this one out: a release of a hold, and a reversal of anything else that moves money. Its ID
    /// follows from this one's, so that ordering it again, or in a copy of the outbox, orders the same.
    ///
    /// # Errors
    /// Fails for the opening of an account, which can't be taken back.
    pub fn ruling_out(&self) -> Result<Self, Wrong> {
        let id = self.id().to_string();
        let reason = "ruled out by its sender";
        let account = fields(&self.line).unwrap_or_default();
        let account = [Field::Account, Field::From].into_iter().find_map(|field| account.get(field.name()));
        let account = account.and_then(Value::as_str).unwrap_or_default();
        let line = match Op::parse(&self.op) {
            Some(Op::OpenAccount) | None => {
                return Err(Wrong(
                    "an opening can't be ruled out: ask again whether it is booked".to_owned(),
                ));
            }
            Some(Op::Hold) => {
                serde_json::json!({"op": "release", "account": account, "hold": id, "reason": reason})
            }
            Some(_) => {
                serde_json::json!({"op": "reverse", "account": account, "reverses": id, "reason": reason})
            }
        };
        Self::read(&line.to_string(), derive("outbox rule-out", &id))
    }

    /// Returns the digest of what is sent, by which a damaged file shows.
    #[must_use]
    pub fn digest(request: &Request) -> String {
        let hashed = Sha256::new()
            .chain_update(request.id.to_string())
            .chain_update(&request.path)
            .chain_update([0])
            .chain_update(&request.body);
        hex::encode(hashed.finalize())
    }
}

/// Makes the line of a batch that asks for `op` with these fields.
///
/// # Errors
/// Fails when there is no such op, or a field's value has another form than it should.
pub fn line(op: &str, given: &[(String, String)]) -> Result<String, Wrong> {
    if Op::parse(op).is_none() {
        let names: Vec<&str> = BATCHED.iter().map(|batched| batched.name).collect();
        return Err(Wrong(format!("there is no op {op:?}: it is one of {}", names.join(", "))));
    }
    let mut fields = Map::new();
    fields.insert(Field::Op.name().to_owned(), op.into());
    for (name, value) in given {
        set(&mut fields, name, value)?;
    }
    Ok(Value::Object(fields).to_string())
}

/// Sets a field as its name asks for: a text, a number, a flag, or with `metadata.KEY` one of the metadata. An empty value
/// takes the field away.
fn set(fields: &mut Map<String, Value>, name: &str, value: &str) -> Result<(), Wrong> {
    let metadata = Field::Metadata.name();
    if let Some(key) = name.strip_prefix(metadata).and_then(|rest| rest.strip_prefix('.')) {
        let all = fields.entry(metadata).or_insert_with(|| Value::Object(Map::new()));
        let all = all.as_object_mut().ok_or_else(|| Wrong("metadata is no object".to_owned()))?;
        if value.is_empty() {
            all.remove(key)
        } else {
            all.insert(key.to_owned(), value.into())
        };
        return Ok(());
    }
    let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) else {
        return Err(Wrong(format!("there is no field {name:?}")));
    };
    if value.is_empty() {
        fields.remove(name);
        return Ok(());
    }
    let value = match field.form() {
        Form::Text => Value::from(value),
        Form::Number => {
            value.parse::<u64>().map_err(|_| Wrong(format!("{name} must be a whole number")))?.into()
        }
        Form::Flag => {
            value.parse::<bool>().map_err(|_| Wrong(format!("{name} must be true or false")))?.into()
        }
        Form::List | Form::Place | Form::Pairs => {
            return Err(Wrong(format!("{name} can't be set as a whole")));
        }
    };
    fields.insert(name.to_owned(), value);
    Ok(())
}

fn fields(line: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(line).ok()
}

fn said(fault: &Fault) -> String {
    match fault {
        Fault::Malformed(why) => why.to_string(),
        Fault::IdMissing => "it has no transaction ID".to_owned(),
        Fault::IdConflicting => "it has two transaction IDs".to_owned(),
        Fault::Invalid(errors) => {
            let each = errors.iter().map(|error| format!("{} {}", error.field, error.problem));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

fn refused(refusal: &Refusal) -> String {
    if let Refusal::Invalid { field, problem } = refusal {
        return format!("{field} {problem}");
    }
    "it can't be asked for".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f4e6e-9d52-7a30-8f7e-000000000001";

    fn read(line: &str) -> Result<Order, String> {
        Order::read(line, derive("t", "1")).map_err(|wrong| wrong.0)
    }

    #[test]
    fn each_op_of_a_batch_is_a_request_of_its_own() {
        for (line, path, body, accounts) in [
            (
                r#"{"op":"open_account","account":"alice","currency":"EUR"}"#,
                "/v1/accounts",
                r#"{"account":"alice","currency":"EUR"}"#,
                &["alice"][..],
            ),
            (
                r#"{"op":"deposit","account":"alice","amount":"1.00","metadata":{"a":"b"}}"#,
                "/v1/accounts/alice/deposits",
                r#"{"amount":"1.00","metadata":{"a":"b"}}"#,
                &["alice"],
            ),
            (
                r#"{"op":"withdraw","account":"alice","amount":"40.00"}"#,
                "/v1/accounts/alice/withdrawals",
                r#"{"amount":"40.00"}"#,
                &["alice"],
            ),
            (
                r#"{"op":"hold","account":"alice","amount":"1","expires_in_seconds":600}"#,
                "/v1/accounts/alice/holds",
                r#"{"amount":"1","expires_in_seconds":600}"#,
                &["alice"],
            ),
            (
                r#"{"op":"transfer","from":"bob","to":"alice","amount":"1"}"#,
                "/v1/transfers",
                r#"{"amount":"1","from":"bob","to":"alice"}"#,
                &["alice", "bob"],
            ),
            (
                r#"{"op":"transfer","from":"bob","to":"@external:atm","amount":"1"}"#,
                "/v1/transfers",
                r#"{"amount":"1","from":"bob","to":"@external:atm"}"#,
                &["bob"],
            ),
        ] {
            let order = read(line).unwrap();
            assert_eq!(
                (order.request.path.as_str(), order.accounts),
                (path, accounts.iter().map(|a| (*a).to_owned()).collect())
            );
            assert_eq!(String::from_utf8(order.request.body).unwrap(), body);
            assert_eq!(order.request.id, derive("t", "1"));
        }
        let own = ID.replace('1', "2");
        let hold =
            |op: &str| format!(r#"{{"op":"{op}","account":"alice","hold":"{ID}","transaction_id":"{own}"}}"#);
        for op in ["capture", "release"] {
            let order = read(&hold(op)).unwrap();
            assert_eq!(
                (order.request.path, order.request.body),
                (format!("/v1/accounts/alice/holds/{ID}/{op}"), b"{}".to_vec())
            );
            assert_eq!(order.request.id.to_string(), own);
        }
    }

    #[test]
    fn what_is_wrong_is_told_before_it_is_stored() {
        for (line, says) in [
            (r#"{"op":"withdraw","account":"alice","amount":"1e3"}"#, "amount"),
            (r#"{"op":"withdraw","account":"alice","amount":"0"}"#, "amount"),
            (r#"{"op":"withdraw","account":"alice","amount":10}"#, "amount"),
            (r#"{"op":"withdraw","account":"alice"}"#, "amount is missing"),
            (r#"{"op":"withdraw","amount":"1","amount":"2","account":"alice"}"#, "amount"),
            (r#"{"op":"steal","account":"alice","amount":"1"}"#, "op"),
            (r#"{"op":"correct","account":"alice"}"#, "op"),
            (
                r#"{"op":"open_account","account":"alice","currency":"JPY","overdraft_limit":"1.5"}"#,
                "overdraft_limit",
            ),
            (r#"{"op":"withdraw","account":"alice","amount":"1","transaction_id":"x"}"#, "transaction_id"),
            ("{}", "op is missing"),
            ("{", "not JSON"),
            ("[]", "object"),
            ("", "empty"),
        ] {
            let wrong = read(line).unwrap_err();
            assert!(wrong.contains(says), "{line}: {wrong}");
        }
        assert!(super::line("steal", &[]).unwrap_err().0.contains("withdraw"));
    }

    #[test]
    fn an_edit_has_an_id_that_follows_from_what_it_edits() {
        let order =
            read(r#"{"op":"withdraw","account":"alice","amount":"40.00","metadata":{"a":"b"}}"#).unwrap();
        let change = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let edited = order.edited(&change("amount", "4.00")).unwrap();
        assert_eq!(edited.request.body, br#"{"amount":"4.00","metadata":{"a":"b"}}"#);
        assert_eq!(order.edited(&change("amount", "4.00")).unwrap(), edited);
        assert_ne!(order.edited(&change("amount", "5.00")).unwrap().id(), edited.id());
        let gone = order.edited(&change("metadata.a", "")).unwrap();
        assert_eq!(gone.request.body, br#"{"amount":"40.00","metadata":{}}"#);
        for (name, value) in
            [("amount", "x"), ("transaction_id", ID), ("op", "deposit"), ("shoe", "1"), ("amount", "")]
        {
            assert!(order.edited(&change(name, value)).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn what_rules_out_is_one_order_however_often_it_is_made() {
        let withdrawal = read(r#"{"op":"withdraw","account":"alice","amount":"40.00"}"#).unwrap();
        let out = withdrawal.ruling_out().unwrap();
        assert_eq!((out.op.as_str(), out.accounts.as_slice()), ("reverse", &["alice".to_owned()][..]));
        assert_eq!(withdrawal.ruling_out().unwrap(), out);
        let hold = read(r#"{"op":"hold","account":"alice","amount":"1","expires_in_seconds":9}"#).unwrap();
        assert_eq!(hold.ruling_out().unwrap().op, "release");
        let transfer = read(r#"{"op":"transfer","from":"zoe","to":"bob","amount":"1"}"#).unwrap();
        assert_eq!(transfer.ruling_out().unwrap().request.path, "/v1/accounts/zoe/reversals");
        let opening = read(r#"{"op":"open_account","account":"alice","currency":"EUR"}"#).unwrap();
        assert!(opening.ruling_out().is_err());
    }
}
