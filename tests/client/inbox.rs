//! The receiver's half: signatures, and messages that come in any order, again, and amid crashes. A model that is a set of ids
//! says what must come of each.

use std::collections::BTreeSet;

use bookonce::client::inbox::{Accepted, Inbox, InboxError, Keeps, Message, NotGenuine, Secret, verify};
use bookonce::domain::time::Timestamp;
use proptest::prelude::*;
use rusqlite::{Connection, TransactionBehavior};

const KEEPS: [Keeps; 3] = [Keeps::Revisions, Keeps::Ids, Keeps::Transactions];
const JOURNAL: &str = "/bookonce/018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e";

/// Returns the body of the message of an event, as a ledger writes it. `life` tells the event from another one that has its
/// place after the ledger was put back; what a life books is younger than what the one before booked.
pub fn body(account: u64, revision: u64, life: u64) -> String {
    let id = format!("{life:08x}-0000-4000-8000-{account:04x}{revision:08x}");
    format!(
        r#"{{"specversion":"1.0","id":"{id}.crm","source":"{JOURNAL}","type":"bookonce.Deposited",
           "subject":"account-a{account}","time":"2026-11-28T0{life}:00:{:02}.{:06}Z","revision":"{revision}",
           "transactionid":"00000001-0000-4000-8000-{account:04x}{revision:08x}","data":{{}}}}"#,
        revision / 1_000_000,
        revision % 1_000_000,
    )
}

fn message(account: u64, revision: u64, life: u64) -> Message {
    Message::parse(body(account, revision, life).as_bytes()).unwrap()
}

/// A `Receiver` counts the effect of each message in the same database.
struct Receiver {
    database: Connection,
    inbox: Inbox,
}

impl Receiver {
    fn new(keeps: Keeps) -> Self {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch("CREATE TABLE effects (id TEXT)").unwrap();
        let inbox = Inbox::open(&database, keeps).unwrap();
        Self { database, inbox }
    }

    /// Takes a message; a crash comes after its effect and before the commit.
    fn takes(&mut self, message: &Message, crashes: bool) -> Result<Accepted, InboxError> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let accepted = self.inbox.accept(&transaction, message)?;
        if accepted == Accepted::Fresh {
            transaction.execute("INSERT INTO effects VALUES (?1)", [&message.id]).unwrap();
        }
        if !crashes {
            transaction.commit().unwrap();
        }
        Ok(accepted)
    }

    fn takes_first(&mut self, revision: u64) {
        assert_eq!(self.takes(&message(0, revision, 1), false).unwrap(), Accepted::Fresh);
    }

    fn effects(&self) -> Vec<String> {
        let mut all = self.database.prepare("SELECT id FROM effects ORDER BY id").unwrap();
        all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn rows(&self, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.database.query_one(&sql, [], |row| row.get(0)).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Seen failing: with no row for a stretch that was passed over, with a row that is not split where a message in it comes,
    /// and with everything taken for new.
    #[test]
    fn each_effect_is_once_and_none_is_lost_in_every_order_with_doubles_and_crashes(
        coming in prop::collection::vec((0_u64..3, 0_u64..12, any::<bool>()), 1..80),
    ) {
        for keeps in KEEPS {
            let mut receiver = Receiver::new(keeps);
            let mut seen = BTreeSet::new();
            for (account, revision, crashes) in &coming {
                let message = message(*account, *revision, 1);
                let accepted = receiver.takes(&message, *crashes).unwrap();
                let is_new = !seen.contains(&message.id);
                prop_assert_eq!(accepted == Accepted::Fresh, is_new, "{:?} {:?}", keeps, message);
                if !crashes {
                    seen.insert(message.id);
                }
            }
            let seen: Vec<String> = seen.into_iter().collect();
            prop_assert_eq!(receiver.effects(), seen, "{:?}", keeps);
        }
    }
}

/// Guards against: an inbox by revisions that grows with every message.
#[test]
fn what_comes_in_order_is_one_row_for_each_account_and_a_stretch_is_one_row() {
    let mut receiver = Receiver::new(Keeps::Revisions);
    for revision in 0..100 {
        for account in 0..5 {
            assert_eq!(receiver.takes(&message(account, revision, 1), false).unwrap(), Accepted::Fresh);
        }
    }
    assert_eq!(
        (receiver.rows("inbox_mark"), receiver.rows("inbox_gap"), receiver.rows("inbox_key")),
        (5, 0, 0)
    );
    receiver.takes(&message(0, 200, 1), false).unwrap();
    assert_eq!(receiver.rows("inbox_gap"), 1);
    for revision in 100..200 {
        assert_eq!(receiver.takes(&message(0, revision, 1), false).unwrap(), Accepted::Fresh);
    }
    assert_eq!(receiver.rows("inbox_gap"), 0);
}

/// Seen failing: without the comparison of times, the second event after the copy was taken for a duplicate in silence.
#[test]
fn a_ledger_put_back_is_an_error_by_revisions_and_no_second_effect_by_transactions() {
    let mut receiver = Receiver::new(Keeps::Revisions);
    (0..10).for_each(|revision| receiver.takes_first(revision));
    for revision in 5..10 {
        let came = receiver.takes(&message(0, revision, 2), false);
        assert!(matches!(came, Err(InboxError::WentBack { .. })), "{revision}: {came:?}");
    }
    assert_eq!(receiver.effects().len(), 10);

    let mut receiver = Receiver::new(Keeps::Transactions);
    (0..10).for_each(|revision| receiver.takes_first(revision));
    assert_eq!(receiver.takes(&message(0, 7, 2), false).unwrap(), Accepted::Duplicate);
    assert_eq!(receiver.takes(&message(0, 10, 2), false).unwrap(), Accepted::Fresh);
}

/// Guards against: an inbox that is asked for what it did not keep, and takes everything for new.
#[test]
fn an_inbox_that_keeps_something_else_is_refused() {
    let receiver = Receiver::new(Keeps::Ids);
    assert!(Inbox::open(&receiver.database, Keeps::Ids).is_ok());
    for other in [Keeps::Revisions, Keeps::Transactions] {
        let refused = Inbox::open(&receiver.database, other);
        assert!(matches!(&refused, Err(InboxError::KeepsOther(kept)) if kept == "ids"), "{refused:?}");
    }
}

#[test]
fn a_message_of_no_event_is_kept_by_its_id() {
    let text = r#"{"specversion":"1.0","id":"test.7.crm","source":"/bookonce/x","type":"bookonce.test","subject":"test",
                  "time":"2026-11-28T01:00:00.000000Z"}"#;
    let test = Message::parse(text.as_bytes()).unwrap();
    for keeps in KEEPS {
        let mut receiver = Receiver::new(keeps);
        assert_eq!(receiver.takes(&test, false).unwrap(), Accepted::Fresh);
        assert_eq!(receiver.takes(&test, false).unwrap(), Accepted::Duplicate);
    }
}

/// Guards against: a body of somebody else that is taken for a message, or a field that is guessed.
#[test]
fn what_no_ledger_writes_is_refused() {
    let good = body(1, 2, 1);
    assert!(Message::parse(good.as_bytes()).is_ok());
    for (part, other) in [
        (r#""specversion":"1.0""#, r#""specversion":"0.3""#),
        ("bookonce.Deposited", "shop.Deposited"),
        (r#""revision":"2""#, r#""revision":"02""#),
        (r#""revision":"2""#, r#""revision":"-2""#),
        (r#""revision":"2""#, r#""revision":2"#),
        (".crm", ""),
        (r#""subject":"account-a1""#, r#""subject":"""#),
        ("2026-11-28T01", "2026-11-28 01"),
        (r#""transactionid":"00000001"#, r#""transactionid":"x"#),
        ("}}", "}"),
    ] {
        let changed = good.replace(part, other);
        assert_ne!(changed, good);
        assert!(Message::parse(changed.as_bytes()).is_err(), "{changed}");
    }
}

const NOW: Timestamp = Timestamp::from_micros(1_614_265_330_000_000);
/// These are the published example of *Standard Webhooks*.
const EXAMPLE: [(&str, &str); 3] = [
    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("webhook-timestamp", "1614265330"),
    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
];
const EXAMPLE_BODY: &[u8] = br#"{"test": 2432232314}"#;

fn verified(
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &[&str],
    now: Timestamp,
) -> Result<(), NotGenuine> {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::parse(text).unwrap()).collect();
    let header = |name: &str| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| *value);
    verify(header, body, &secrets, now)
}

/// Seen failing: with a check that looks at the first signature alone, and with one that looks at no age.
#[test]
fn a_request_is_genuine_by_one_right_signature_of_this_hour() {
    let (right, other) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let with = |name: &str, value: &'static str| {
        EXAMPLE.map(|(header, old)| (header, if header == name { value } else { old }))
    };
    let wrong = Err(NotGenuine::WrongSignature);
    assert_eq!(verified(&EXAMPLE, EXAMPLE_BODY, &[right], NOW), Ok(()));
    assert_eq!(verified(&EXAMPLE, EXAMPLE_BODY, &[other, right], NOW), Ok(()));
    assert_eq!(verified(&EXAMPLE, EXAMPLE_BODY, &[other], NOW), wrong);
    assert_eq!(verified(&EXAMPLE, EXAMPLE_BODY, &[], NOW), wrong);
    assert_eq!(verified(&EXAMPLE, br#"{"test":2432232314}"#, &[right], NOW), wrong);
    let two = with("webhook-signature", "v1,AAAA v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(verified(&two, EXAMPLE_BODY, &[right], NOW), Ok(()));
    for signature in
        ["", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,g0hM9SsE", "v1,!"]
    {
        let headers = with("webhook-signature", signature);
        assert_eq!(verified(&headers, EXAMPLE_BODY, &[right], NOW), wrong, "{signature}");
    }
    assert_eq!(verified(&with("webhook-id", "msg_x"), EXAMPLE_BODY, &[right], NOW), wrong);
    assert_eq!(verified(&with("webhook-timestamp", "1614265331"), EXAMPLE_BODY, &[right], NOW), wrong);
    assert_eq!(
        verified(&with("webhook-timestamp", "now"), EXAMPLE_BODY, &[right], NOW),
        Err(NotGenuine::BadTime)
    );
    for (seconds, came) in
        [(300, Ok(())), (301, Err(NotGenuine::TooOld)), (-300, Ok(())), (-301, Err(NotGenuine::TooNew))]
    {
        assert_eq!(verified(&EXAMPLE, EXAMPLE_BODY, &[right], NOW.plus_seconds(seconds)), came, "{seconds}");
    }
    for missing in 0..3 {
        let mut headers = EXAMPLE.to_vec();
        let (name, _) = headers.remove(missing);
        assert_eq!(verified(&headers, EXAMPLE_BODY, &[right], NOW), Err(NotGenuine::NoHeader(name)));
    }
}
