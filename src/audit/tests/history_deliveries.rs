//! This history has what is recorded of destinations and letters, written by hand.

use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::history::{Teller, lines};

/// This is the start of what is said of a destination's settings.
pub(super) fn set(guarantee: &str, select: &str, from: &str) -> String {
    format!(
        r#""generation":0,"kind":"webhook","target":"https://crm.example/hooks","guarantee":"{guarantee}","order":"account","on_dead":"go_on","select":{{{select}}},"retry":["5s","5m"],"options":{{"in_flight":64,"claim":100}}{from}"#
    )
}

pub(super) const TAKEN: &str = r#""instance":"a-1/7f","holder":"f1","why":"first""#;
const ERROR: &str = r#"{"class":"http_status","code":"422","message":"no \"card\""}"#;

/// A `Mail` tells what is recorded of a destination named `crm` beside two accounts.
#[derive(Clone)]
pub(super) struct Mail {
    pub t: Teller,
    balance: u64,
}

impl Mail {
    /// Begins with two accounts at positions 1 and 2, and the destination at 3 and 4.
    pub fn new(guarantee: &str, select: &str, from: &str) -> Self {
        let mut t = Teller::default();
        for account in ["alice", "bob"] {
            t.tell(account, "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
        }
        let mut mail = Self { t, balance: 0 };
        mail.note("DestinationSet", &set(guarantee, select, from));
        mail.note("ServingTaken", TAKEN);
        mail
    }

    /// Tells what the service recorded of the destination.
    pub fn note(&mut self, kind: &'static str, data: &str) {
        let metadata = r#""actor":"service""#.to_owned();
        self.t.push("delivery-crm", "", kind, data, ("", ""), metadata);
    }

    /// Tells a deposit to alice, and returns its position.
    pub fn deposit(&mut self, euros: u64) -> u64 {
        self.balance += euros;
        let balance = format!("{}.00", self.balance);
        self.t.moves("alice", &format!("{euros}.00"), "EUR", &balance, &balance);
        self.t.events.len() as u64
    }

    /// Returns the revision of the last event of the destination.
    pub fn last_revision(&self) -> u64 {
        let own = self.t.events.iter().filter(|told| told.stream == "delivery-crm");
        own.count() as u64 - 1
    }

    pub fn progress(&mut self, term: u64, through: u64, delivered: u64, more: &str) {
        let data = format!(r#""term":{term},"through":{through},"delivered":{delivered}{more}"#);
        self.note("DeliveryProgressed", &data);
    }

    /// Returns the id of the message of the event at a position.
    pub fn message_id(&self, position: u64) -> String {
        let line = lines(&self.t.events).swap_remove(position as usize - 1);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        format!("{}.crm", line["event_id"].as_str().unwrap())
    }

    /// Tells a letter of the message of the event at a position.
    pub fn bury(&mut self, position: u64) {
        let id = self.message_id(position);
        self.bury_as(position, &id, "alice");
    }

    pub fn bury_as(&mut self, position: u64, message_id: &str, account: &str) {
        let data = format!(
            r#""direction":"out","source":"crm","kind":"delivery","topic":"https://crm.example/hooks","message_id":"{message_id}","effect_id":"{message_id}","account":"{account}","position":{position},"error":{ERROR},"attempts":[{{"at":"2026-11-21T02:00:00.000000Z","error":{ERROR}}}],"attempt_count":3,"content_type":"application/cloudevents+json; charset=utf-8","payload_bytes":812,"payload_sha256":"{}""#,
            "07".repeat(32)
        );
        let metadata = r#""$correlationId":"order 7","$causationId":"a tap","actor":"service""#.to_owned();
        self.t.push(&letter_of(message_id), "", "DeadLettered", &data, ("", ""), metadata);
    }
}

/// Returns the name of the stream of a message's letter.
pub(super) fn letter_of(message_id: &str) -> String {
    let namespace = Uuid::from_u128(0x5d6c_3ec8_1f7b_5a0e_9c1d_6b6f_6f6b_3132);
    let named = [namespace.as_bytes(), format!("out|crm|{message_id}").as_bytes()].concat();
    let sha1: [u8; 20] = Sha1::digest(&named).into();
    let id = uuid::Builder::from_sha1_bytes(sha1[..16].try_into().unwrap()).into_uuid();
    format!("letter-{id}")
}

/// Returns a row of a parked message of alice's.
pub(super) fn row(position: u64, revision: u64, attempts: u64) -> String {
    format!(
        r#"{{"position":{position},"stream":"account-alice","revision":{revision},"attempts":{attempts},"next_at":"2026-11-21T03:00:00.000000Z","error":{ERROR}}}"#
    )
}

/// Tells a history with each event of a destination and of a letter.
pub(super) fn story() -> Mail {
    let mut m = Mail::new("at_least_once", "", "");
    let [first, second, third] = [m.deposit(1), m.deposit(2), m.deposit(3)];
    m.progress(1, third, 1, &format!(r#","parked":[{},{}]"#, row(first, 1, 1), row(second, 2, 0)));
    m.progress(1, third, 0, &format!(r#","attempted":[{}]"#, row(first, 1, 2)));
    m.bury(first);
    let ends = r#","settled":[{"position":5,"outcome":"dead"},{"position":6,"outcome":"delivered"}]"#;
    // What waited behind them is read again, though the destination has come by it.
    m.progress(1, third, 2, &format!(r#","parked":[{}]{ends}"#, row(third, 3, 1)));
    m.note("DestinationTested", r#""outcome":"failed","detail":"503""#);
    m.note("DestinationPaused", r#""code":"missing""#);
    m.note("DestinationSet", &set("at_most_once", r#""types":["Deposited"],"amount_min":"5""#, ""));
    m.note("DestinationPaused", r#""code":"operator","reason":"they asked""#);
    m.deposit(4);
    let chosen = m.deposit(5);
    m.note("DestinationResumed", r#""after":14,"passed_over":0,"reason":"mended""#);
    m.note("DeliveryClaimed", &format!(r#""term":1,"positions":[{chosen}]"#));
    m.bury(chosen);
    m.progress(1, chosen, 0, &format!(r#","unconfirmed":[{chosen}]"#));
    m.bury(third);
    m.note("DestinationRemoved", &format!(r#""through":{chosen},"parked":1"#));
    m.note("DestinationSet", &set("exactly_once_effect", r#""none":true"#, r#","from":0"#));
    m.note("ServingTaken", r#""instance":"b-2","why":"released""#);
    m.note("ServingChallenged", r#""instance":"a-1""#);
    let term = m.last_revision() - 1;
    m.note("ServingConfirmed", &format!(r#""term":{term}"#));
    m.note("ServingChallenged", r#""instance":"c-1""#);
    m.note("ServingTaken", r#""instance":"c-1","why":"no_answer""#);
    let term = m.last_revision();
    m.note("ServingReleased", &format!(r#""term":{term}"#));
    m.note("ServingTaken", r#""instance":"b-2","why":"released""#);
    m
}
