//! This history has every type of event and every code of a decline, written by hand: nothing of the auditor's reading is
//! used to make it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) const JOURNAL: Uuid = Uuid::from_u128(0x018f_4e6e_9d52_7a30_8f7e_3f6b_2a1c_0d4e);

/// A `Told` says what one event is made of. A forger changes it and writes all lines again.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub stream: String,
    pub revision: u64,
    pub kind: &'static str,
    pub recorded_at: String,
    pub effective_at: Option<String>,
    pub version: u64,
    pub id: String,
    pub data: String,
    /// Of a transfer's own stream: the state.
    pub balance: String,
    pub available: String,
    pub metadata: String,
}

/// Returns a transaction ID for each number.
pub(crate) fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Returns the lines with their hashes, the chain begun as the journal's own.
pub(crate) fn lines(events: &[Told]) -> Vec<String> {
    let mut hash: [u8; 32] = Sha256::digest(format!("bookonce journal {JOURNAL}")).into();
    events.iter().zip(1..).map(|(told, position)| line(told, position, &mut hash)).collect()
}

/// Returns the lines with the chain along each stream, at the positions of a store that has much else between them.
pub(crate) fn streams(events: &[Told]) -> Vec<String> {
    let mut hashes = HashMap::<_, [u8; 32]>::new();
    let line = |(place, told): (usize, &Told)| {
        let begin = || Sha256::digest(format!("bookonce stream {}", told.stream)).into();
        line(told, position_of(place), hashes.entry(told.stream.clone()).or_insert_with(begin))
    };
    events.iter().enumerate().map(line).collect()
}

/// Returns the position along streams of the event at this place.
pub(crate) fn position_of(place: usize) -> u64 {
    4_711 + 523 * place as u64 + place as u64 % 7
}

/// Returns a line that follows from this hash, which becomes its own.
fn line(told: &Told, position: u64, hash: &mut [u8; 32]) -> String {
    let Told { stream, revision, kind, recorded_at, version, id, data, balance, available, metadata, .. } =
        told;
    let effective_at = told.effective_at.as_ref().unwrap_or(recorded_at);
    let answer = match stream.starts_with("transfer-") {
        true => format!(r#""state":"{balance}""#),
        false => format!(r#""balance":"{balance}","available":"{available}""#),
    };
    let of_delivery = stream.starts_with("delivery-") || stream.starts_with("letter-");
    let unless = |left_out: bool, text: String| if left_out { String::new() } else { text };
    let effective_at = unless(of_delivery, format!(r#","effective_at":"{effective_at}""#));
    let answer = unless(of_delivery, format!(r#","answer":{{{answer}}}"#));
    let id = unless(of_delivery && id.is_empty(), format!(r#","transaction_id":"{id}""#));
    let front = format!(r#""stream":"{stream}","revision":{revision},"#);
    let back = format!(
        r#""type":"{kind}","recorded_at":"{recorded_at}"{effective_at},"version":{version}{id},"data":{{{data}}}{answer},"metadata":{{{metadata}}}"#
    );
    let canonical = format!("{{{front}{back}}}");
    *hash = Sha256::new().chain_update(*hash).chain_update(&canonical).finalize().into();
    let mut named = Uuid::from_u128(0x5d6c_3ec8_1f7b_5a0e_9c1d_6b6f_6f6b_3131).as_bytes().to_vec();
    named.extend_from_slice(canonical.as_bytes());
    let sha1: [u8; 20] = <sha1::Sha1 as sha1::Digest>::digest(&named).into();
    let event_id = uuid::Builder::from_sha1_bytes(sha1[..16].try_into().unwrap()).into_uuid();
    format!(
        "{{\"position\":{position},{front}\"event_id\":\"{event_id}\",{back},\"hash\":\"{}\"}}\n",
        hex::encode(*hash)
    )
}

/// Returns the head's hash before each of these lines, which are a whole journal chained along its streams, and after
/// the last.
pub(crate) fn heads(lines: &[String]) -> Vec<String> {
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let mut heads = vec![Sha256::digest(format!("bookonce journal {}", first["event_id"].as_str().unwrap()))];
    for line in lines {
        let both = [heads.last().unwrap().to_vec(), hex::decode(hash_of(line)).unwrap()].concat();
        heads.push(Sha256::digest(both));
    }
    heads.iter().map(hex::encode).collect()
}

/// Returns the manifest of those of the lines that are at these places.
pub(crate) fn streams_manifest(lines: &[String], places: std::ops::Range<usize>) -> String {
    let read = |place: usize| serde_json::from_str::<serde_json::Value>(&lines[place]).unwrap();
    let (heads, count) = (heads(lines), places.len());
    let id = read(0)["event_id"].as_str().unwrap().to_owned();
    let [from, to] = [places.start, places.end - 1].map(|place| read(place)["position"].as_u64().unwrap());
    let (last, previous) = (&heads[places.end], &heads[places.start]);
    format!(
        "{{\"manifest\":{{\"format\":2,\"chain\":\"streams\",\"journal_id\":\"{id}\",\"from\":{from},\"to\":{to},\
         \"count\":{count},\"last_hash\":\"{last}\",\"previous_hash\":\"{previous}\"}}}}\n"
    )
}

/// Returns the export of these events, chained along their streams.
pub(crate) fn streams_export(events: &[Told]) -> Vec<u8> {
    let lines = streams(events);
    format!("{}{}", lines.concat(), streams_manifest(&lines, 0..lines.len())).into_bytes()
}

fn hash_of(line: &str) -> &str {
    &line[line.len() - 67..line.len() - 3]
}

/// Returns the manifest of these lines as the whole journal.
pub(crate) fn manifest(lines: &[String]) -> String {
    let genesis = hex::encode(Sha256::digest(format!("bookonce journal {JOURNAL}")));
    let first = lines.first().map_or(&*genesis, |line| hash_of(line));
    let last = lines.last().map_or(&*genesis, |line| hash_of(line));
    let count = lines.len();
    format!(
        "{{\"manifest\":{{\"format\":1,\"journal_id\":\"{JOURNAL}\",\"from\":1,\"to\":{count},\"count\":{count},\
         \"first_hash\":\"{first}\",\"last_hash\":\"{last}\",\"previous_hash\":\"{genesis}\"}}}}\n"
    )
}

/// Returns the export of these events.
pub(crate) fn export(events: &[Told]) -> Vec<u8> {
    let lines = lines(events);
    format!("{}{}", lines.concat(), manifest(&lines)).into_bytes()
}

/// Tells events, each on the account's next revision, a millisecond after the one before.
#[derive(Debug, Default, Clone)]
pub(crate) struct Teller {
    pub events: Vec<Told>,
    /// This is how many seconds more have passed than there were events.
    pub waited: u64,
    revisions: HashMap<String, u64>,
}

impl Teller {
    /// Tells an event; its ID is the number of its place.
    pub fn tell(
        &mut self,
        account: &str,
        kind: &'static str,
        data: &str,
        balance: &str,
        available: &str,
    ) -> String {
        let number = self.events.len() as u64 + 1;
        self.tell_as(number, account, kind, data, balance, available)
    }

    /// Returns when the next event is recorded, and so many seconds later.
    pub fn now_and(&self, seconds: u64) -> String {
        let place = self.events.len() as u64;
        let at = place + self.waited + seconds;
        format!("2026-11-21T{:02}:{:02}:{:02}.{place:06}Z", 2 + at / 3_600, at / 60 % 60, at % 60)
    }

    /// Tells an event with this number as its ID.
    pub fn tell_as(
        &mut self,
        number: u64,
        account: &str,
        kind: &'static str,
        data: &str,
        balance: &str,
        available: &str,
    ) -> String {
        let id = id(number);
        let metadata = format!(r#""$correlationId":"{id}","actor":"loopback""#);
        self.push(&format!("account-{account}"), &id, kind, data, (balance, available), metadata)
    }

    /// Tells what the service booked of its own accord: `step` is what stands behind the ID of the hold or the transfer.
    pub fn own(
        &mut self,
        stream: &str,
        (of, step): (&str, &str),
        kind: &'static str,
        data: &str,
        answer: (&str, &str),
    ) -> String {
        let metadata = format!(r#""$correlationId":"{of}","$causationId":"{of}","actor":"service""#);
        self.push(stream, &format!("{of}:{step}"), kind, data, answer, metadata)
    }

    /// Tells an event of this stream with this ID.
    pub fn push(
        &mut self,
        stream: &str,
        id: &str,
        kind: &'static str,
        data: &str,
        (balance, available): (&str, &str),
        metadata: String,
    ) -> String {
        let recorded_at = self.now_and(0);
        let revision = self.revisions.entry(stream.into()).and_modify(|revision| *revision += 1).or_insert(0);
        self.events.push(Told {
            stream: stream.into(),
            revision: *revision,
            kind,
            recorded_at,
            effective_at: None,
            version: 1,
            metadata,
            id: id.into(),
            data: data.into(),
            balance: balance.into(),
            available: available.into(),
        });
        id.into()
    }

    /// Returns a deposit (a positive amount) or a withdrawal (one with a `-`).
    pub fn moves(
        &mut self,
        account: &str,
        amount: &str,
        currency: &str,
        balance: &str,
        available: &str,
    ) -> String {
        let kind = if amount.starts_with('-') { "Withdrawn" } else { "Deposited" };
        let data = format!(
            r#""amount":"{}","currency":"{currency}",{}"#,
            amount.trim_start_matches('-'),
            entries(account, amount, "@cash")
        );
        self.tell(account, kind, &data, balance, available)
    }

    /// Returns a decline with the request's own fields.
    pub fn declines(
        &mut self,
        account: &str,
        what: &str,
        fields: &str,
        balance: &str,
        available: &str,
    ) -> String {
        let (operation, code) = what.split_once(' ').unwrap();
        let currency = if account == "bob" { "JPY" } else { "EUR" };
        let data = format!(r#""operation":"{operation}","code":"{code}","currency":"{currency}",{fields}"#);
        self.tell(account, "Declined", &data, balance, available)
    }
}

pub(crate) fn entries(account: &str, amount: &str, counter: &str) -> String {
    let other = amount.strip_prefix('-').map_or_else(|| format!("-{amount}"), str::to_owned);
    format!(
        r#""entries":[{{"account":"{account}","amount":"{amount}"}},{{"account":"{counter}","amount":"{other}"}}]"#
    )
}

fn reversal(account: &str, of: &str, amount: &str, counter: &str) -> String {
    format!(
        r#""reverses":"{of}","amount":"{}","currency":"EUR",{},"reason":"a \"slip\"""#,
        amount.trim_start_matches('-'),
        entries(account, amount, counter)
    )
}

const REASON: &str = r#""reason":"because""#;
const CHANGE: &str = r#""currency":"EUR","reason":"because""#;

/// Makes a history with every type of event and every code of a decline.
pub(crate) fn everything() -> Vec<Told> {
    let mut t = Teller::default();
    let a = "alice";
    let move_of = |amount: &str| format!(r#""amount":"{amount}","counter_account":"@cash""#);
    let back = |id: &str| format!(r#""reverses":"{id}",{REASON}"#);
    t.tell(a, "AccountOpened", r#""currency":"EUR","overdraft_limit":"50.00""#, "0.00", "50.00");
    let deposit = t.moves(a, "100.00", "EUR", "100.00", "150.00");
    let data = format!(
        r#""amount":"40.00","currency":"EUR",{},"effective_at_given":true,"metadata":{{"card":"ü\n\u0001","device_id":"atm-77"}}"#,
        entries(a, "-40.00", "@atm")
    );
    let withdrawal = t.tell(a, "Withdrawn", &data, "60.00", "110.00");
    t.events[2].effective_at = Some("1993-01-05T00:00:00.000000Z".into());
    t.events[2].metadata = r#""$correlationId":"order 7","$causationId":"a tap","actor":"key-1""#.into();
    let declined = t.declines(a, "withdrawal insufficient_funds", &move_of("110.01"), "60.00", "110.00");
    t.tell(
        a,
        "Reversed",
        &(reversal(a, &withdrawal, "10.00", "@atm") + r#","partial":true"#),
        "70.00",
        "120.00",
    );
    t.tell(a, "Reversed", &reversal(a, &withdrawal, "30.00", "@atm"), "100.00", "150.00");
    t.declines(a, "reversal reversal_exceeds_original", &back(&withdrawal), "100.00", "150.00");
    t.declines(a, "reversal not_reversible", &back(&declined), "100.00", "150.00");
    prevented(&mut t);
    frozen(&mut t);
    t.tell(a, "OverdraftLimitChanged", &format!(r#""overdraft_limit":"0.00",{CHANGE}"#), "105.00", "105.00");
    t.moves(a, "-100.00", "EUR", "5.00", "5.00");
    t.declines(a, "reversal insufficient_funds", &back(&deposit), "5.00", "5.00");
    t.tell(
        a,
        "Reversed",
        &(reversal(a, &deposit, "-100.00", "@cash") + r#","force":true"#),
        "-95.00",
        "-95.00",
    );
    t.declines(a, "close account_not_empty", REASON, "-95.00", "-95.00");
    t.moves(a, "95.00", "EUR", "0.00", "0.00");
    closed(&mut t);
    largest(&mut t);
    t.tell(
        "carol",
        "AccountOpened",
        r#""currency":"KWD","overdraft_limit":"0.000","metadata":{"k":""}"#,
        "0.000",
        "0.000",
    );
    t.events
}

/// Makes a history with a transaction that is ruled out before it comes, and comes.
fn prevented(t: &mut Teller) {
    let a = "alice";
    let (late, full) = (id(1_000), ("100.00", "150.00"));
    let back = format!(r#""reverses":"{late}",{REASON}"#);
    let rules_out = format!(r#""reverses":"{late}",{CHANGE}"#);
    let by = t.tell(a, "Prevented", &rules_out, full.0, full.1);
    t.declines(a, "reversal reversal_exceeds_original", &back, full.0, full.1);
    let fields = format!(
        r#""operation":"deposit","code":"prevented","currency":"EUR","amount":"1.00","counter_account":"@fees","metadata":{{"k":"v"}},"prevented_by":"{by}""#
    );
    t.tell_as(1_000, a, "Declined", &fields, full.0, full.1);
    t.declines(a, "reversal not_reversible", &(back + r#","force":true"#), full.0, full.1);
}

fn frozen(t: &mut Teller) {
    let a = "alice";
    t.tell(a, "Frozen", CHANGE, "100.00", "150.00");
    t.declines(a, "freeze wrong_state", REASON, "100.00", "150.00");
    let fields = r#""amount":"1.00","counter_account":"@cash""#;
    t.declines(a, "withdrawal account_frozen", fields, "100.00", "150.00");
    t.moves(a, "5.00", "EUR", "105.00", "155.00");
    t.tell(a, "Unfrozen", CHANGE, "105.00", "155.00");
    t.declines(a, "unfreeze wrong_state", REASON, "105.00", "155.00");
}

fn closed(t: &mut Teller) {
    let a = "alice";
    let limit = format!(r#""overdraft_limit":"9.00",{REASON}"#);
    let never = id(2_000);
    t.tell(a, "Closed", CHANGE, "0.00", "0.00");
    t.declines(a, "deposit account_closed", r#""amount":"1.00","counter_account":"@cash""#, "0.00", "0.00");
    t.declines(a, "overdraft_limit account_closed", &limit, "0.00", "0.00");
    t.tell(a, "Prevented", &format!(r#""reverses":"{never}",{CHANGE},"force":true"#), "0.00", "0.00");
    t.declines(a, "reversal account_closed", &format!(r#""reverses":"{never}",{REASON}"#), "0.00", "0.00");
}

/// Makes a history of an account that is as full as one can be, in a currency without decimals.
fn largest(t: &mut Teller) {
    let (b, full) = ("bob", "1000000000000000");
    t.tell(b, "AccountOpened", r#""currency":"JPY","overdraft_limit":"0""#, "0", "0");
    let withdrawn = {
        t.moves(b, full, "JPY", full, full);
        let withdrawn = t.moves(b, "-7", "JPY", "999999999999993", "999999999999993");
        t.moves(b, "7", "JPY", full, full);
        withdrawn
    };
    t.declines(b, "deposit balance_too_large", r#""amount":"1","counter_account":"@cash""#, full, full);
    let part = format!(r#""reverses":"{withdrawn}","amount":"1",{REASON}"#);
    t.declines(b, "reversal balance_too_large", &part, full, full);
}

/// Returns a correction's data: the amount with its sign, and the fields after the entries.
fn corrects(amount: &str, fields: &str) -> String {
    let size = amount.trim_start_matches('-');
    format!(r#""amount":"{size}","currency":"EUR",{},{fields}"#, entries("dora", amount, "@corrections"))
}

/// Makes a history of corrections of every form, booked and declined.
pub(crate) fn corrections() -> Vec<Told> {
    let t = &mut Teller::default();
    t.tell("alice", "AccountOpened", r#""currency":"EUR","overdraft_limit":"0.00""#, "0.00", "0.00");
    let never = format!(r#""reverses":"{}",{CHANGE}"#, id(2_000));
    t.tell("alice", "Prevented", &never, "0.00", "0.00");
    let because = r#""reason":"a \"slip\"""#;
    let d = "dora";
    t.tell(d, "AccountOpened", r#""currency":"EUR","overdraft_limit":"10.00""#, "0.00", "10.00");
    let first = t.moves(d, "20.00", "EUR", "20.00", "30.00");
    let twice = t.moves(d, "20.00", "EUR", "40.00", "50.00");
    let to = corrects(
        "-20.00",
        &format!(r#""balance":"20.00","expected_revision":2,{because},"corrects":["{twice}","{first}"]"#),
    );
    let correction = t.tell(d, "Corrected", &to, "20.00", "30.00");
    let by = format!(r#""expected_revision":3,"effective_at_given":true,{because},"corrects":["{}"]"#, id(1));
    t.tell(d, "Corrected", &corrects("5.00", &by), "25.00", "35.00");
    if let Some(last) = t.events.last_mut() {
        last.effective_at = Some("2026-01-01T00:00:00.000000Z".into());
    }
    let fields = format!(r#""amount":"35.01","direction":"debit",{because}"#);
    t.declines(d, "correction insufficient_funds", &fields, "25.00", "35.00");
    let fields = format!(r#""balance":"-10.01","expected_revision":5,{because},"corrects":["{correction}"]"#);
    t.declines(d, "correction insufficient_funds", &fields, "25.00", "35.00");
    let forced = format!(r#""balance":"-10.01","expected_revision":6,{because},"force":true"#);
    t.tell(d, "Corrected", &corrects("-35.01", &forced), "-10.01", "-0.01");
    let back = format!(r#""reverses":"{correction}",{because}"#);
    t.declines(d, "reversal not_reversible", &back, "-10.01", "-0.01");
    t.tell(d, "Frozen", r#""currency":"EUR","reason":"because""#, "-10.01", "-0.01");
    t.tell(d, "Corrected", &corrects("10.01", because), "0.00", "10.00");
    t.tell(d, "Closed", r#""currency":"EUR","reason":"because""#, "0.00", "10.00");
    let fields = format!(r#""amount":"1.00","direction":"credit",{because}"#);
    t.declines(d, "correction account_closed", &fields, "0.00", "10.00");
    std::mem::take(&mut t.events)
}
