//! These tests compare the auditor's books with another keeper's.

use super::audited;
use super::history::{everything, export};
use crate::audit::show::compare::{BooksError, OtherBooks, compare};
use crate::audit::show::replay::{BookedAccount, BookedInternal, Replayed};
use crate::audit::values::currency::Currency;

/// Books that say what they are told to.
pub(crate) struct Fake(pub Replayed);

impl OtherBooks for Fake {
    fn position(&self) -> u64 {
        self.0.position
    }

    fn accounts(&self) -> Result<Vec<BookedAccount>, BooksError> {
        Ok(self.0.accounts.iter().rev().cloned().collect())
    }

    fn internal(&self) -> Result<Vec<BookedInternal>, BooksError> {
        Ok(self.0.internal.iter().rev().cloned().collect())
    }

    fn digest(&self) -> Result<Option<String>, BooksError> {
        Ok(Some(self.0.digest.clone()))
    }
}

pub(crate) fn replayed() -> Replayed {
    Replayed::of(&audited(&export(&everything())).books.unwrap())
}

fn differences(change: impl FnOnce(&mut Replayed)) -> Vec<String> {
    let mut theirs = replayed();
    change(&mut theirs);
    compare(&replayed(), &Fake(theirs)).unwrap().iter().map(ToString::to_string).collect()
}

/// Catches: a currency that one table has and the other has not, or with other decimals: then the auditor calls a journal
/// right which the ledger can't read.
#[test]
fn auditor_and_ledger_know_the_same_currencies() {
    let letters = || b'A'..=b'Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    for code in codes {
        let text = std::str::from_utf8(&code).unwrap();
        let theirs = crate::domain::currency::Currency::parse(text).map(|known| known.decimals());
        assert_eq!(Currency::read(&code).map(|known| u32::from(known.decimals())), theirs, "{text}");
    }
}

#[test]
fn books_of_the_same_journal_agree_in_whatever_order() {
    assert_eq!(differences(|_| ()), [""; 0]);
    assert!(replayed().balanced());
}

#[test]
fn every_part_of_other_books_is_compared() {
    type Change = fn(&mut Replayed);
    let cases: [(Change, &str); 9] = [
        (
            |b| b.accounts[0].balance = "0.01".into(),
            "alice: balance is 0.00 by the journal, 0.01 in the index",
        ),
        (
            |b| b.accounts[0].currency = "USD".into(),
            "alice: currency is EUR by the journal, USD in the index",
        ),
        (
            |b| b.accounts[0].overdraft_limit = "1.00".into(),
            "alice: overdraft_limit is 0.00 by the journal, 1.00 in the index",
        ),
        (
            |b| b.accounts[0].status = "open".into(),
            "alice: status is closed by the journal, open in the index",
        ),
        (|b| b.accounts[2].revision = 7, "carol: revision is 0 by the journal, 7 in the index"),
        (|b| drop(b.accounts.remove(1)), "bob: account is there by the journal, - in the index"),
        (|b| b.accounts[1].account = "bab".into(), "bab: account is - by the journal, there in the index"),
        (
            |b| b.internal[0].balance = "1.00".into(),
            "@atm (EUR): balance is 0.00 by the journal, 1.00 in the index",
        ),
        (|b| b.position -= 1, "the books: position is 36 by the journal, 35 in the index"),
    ];
    for (change, says) in cases {
        assert_eq!(differences(change).first().map(String::as_str), Some(says));
    }
    assert!(differences(|b| b.digest = "00".into())[0].contains("digest"));
}

#[test]
fn a_replay_is_a_document_that_a_person_can_check() {
    insta::assert_json_snapshot!(replayed());
}
