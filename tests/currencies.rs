//! Currencies that are withdrawn while accounts are in them: what is recorded stays readable, answered and in use, and only
//! a new account is refused.

mod support;

use std::sync::Arc;

use bookonce::domain::account::event::{Answer, Fact};
use bookonce::domain::currency::Currency;
use bookonce::domain::decide::{Refusal, Standing, decide};
use bookonce::domain::event::{Body, Event};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::Money;
use bookonce::domain::time::system_clock;
use bookonce::ledger::Verdict;
use bookonce::store::Appends;
use bookonce::store::chain::Hash;
use bookonce::store::codec::Encoder;
use bookonce::store::draft::Draft;
use bookonce::store::embedded::folder::JOURNAL;
use bookonce::store::embedded::{database, writer::Writer};
use support::*;

/// The opening of an account in a currency, made when that was in use.
fn opened_once(currency: &str) -> Event {
    let standing = Standing::default();
    let mut event = decide(standing, &open(1, "alice"), system_clock()()).unwrap();
    let currency = Currency::parse(currency).unwrap();
    let zero = Money::zero(currency);
    let Body::Account(body) = &mut event.body else { unreachable!("it opens an account") };
    body.currency = currency;
    body.answer = Answer { balance: zero, available: zero };
    body.fact = Fact::AccountOpened { overdraft_limit: zero, metadata: Metadata::default() };
    event
}

/// Catches: one table that says both what may be opened and what can be read. Guards against one table of the currencies
/// in use: no event of an account in Bulgarian levs could be read.
#[tokio::test]
async fn an_account_in_a_withdrawn_currency_goes_on() {
    for code in ["BGN", "HRK", "ANG", "ZWL"] {
        let dir = tempfile::tempdir().unwrap();
        open_ledger(dir.path()).unwrap().stop().unwrap();
        let path = dir.path().join(JOURNAL);
        let journal_id = database::read_journal_id(&database::open(&path).unwrap()).unwrap().unwrap();
        let mut writer = Box::new(Writer::start(&path, 0, Hash::genesis(journal_id)).unwrap());
        let mut draft = Draft::after(0, Hash::genesis(journal_id));
        draft.add(Arc::new(opened_once(code)), &mut Encoder::default());
        writer.append(&draft).unwrap();
        writer.close().unwrap();
        for n in [2, 3] {
            let ledger = open_ledger(dir.path()).unwrap();
            let commands = vec![
                open_with(1, "alice", code, "0"),
                deposit(n, "alice", "5"),
                open_with(n + 10, "bob", code, "0"),
            ];
            let verdicts = ledger.execute(commands).await.unwrap();
            let [Verdict::Replayed(..), Verdict::Booked(..), Verdict::Refused(refusal)] = &verdicts[..]
            else {
                panic!("{code}: {verdicts:?}")
            };
            let Refusal::Invalid { field: "currency", problem } = refusal else { panic!("{refusal:?}") };
            assert!(problem.contains("withdrawn"), "{problem}");
            ledger.stop().unwrap();
        }
        let (code, said, complaint) = process::bookonce(&["verify", dir.path().to_str().unwrap()]);
        assert_eq!(code, 0, "{said}{complaint}");
    }
}
