//! A restored ledger and its payouts: the original may have sent what the backup does not have.

use serde_json::json;

use crate::bank::Bank;
use crate::support::process::bookonce;
use crate::support::provider::Does;
use crate::support::store;

/// Returns a bank that has gone on after its export: of its two payouts the first was sent before the export, and the second
/// after it. Both are paid. Then it is restored, in the place of the original, and resumed.
fn restored(repeat: &str, means: &str) -> (Bank, [String; 2]) {
    let mut bank = Bank::open(repeat, means);
    bank.provider.pays([Does::Wait]);
    let first = bank.pay(3_600);
    bank.provider.until("POST /pay", 1);
    let second = bank.pay(3_600);
    bank.until_held(&second);
    let export = bank.folder.path().join("export.ndjson");
    let data = bank.data();
    let (code, exported, said) = bookonce(&["export", "--data", data.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    std::fs::write(&export, exported).unwrap();
    bank.provider.go_on();
    for transfer in [&first, &second] {
        bank.until(transfer, "completed");
        assert_eq!(bank.provider.paid(transfer), ["40.00"]);
    }
    assert_eq!(bank.process.stop(), Some(0));
    let copy = bank.folder.path().join("copy");
    let (code, _, said) = bookonce(&["restore", export.to_str().unwrap(), "--data", copy.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    bank.begin(&copy, &[]);
    for transfer in [&first, &second] {
        assert_eq!(bank.get(&format!("/v1/transfers/{transfer}?wait=1"))["paused"], true);
    }
    assert_eq!(bank.provider.calls().len(), 2, "a restored copy calls nobody");
    bank.begin(&copy, &["--resume-transfers"]);
    (bank, [first, second])
}

/// Guards against: a payout that the original has sent and that its restored copy sends once more.
#[test]
fn a_restored_copy_asks_about_what_it_must_not_send_again_and_calls_an_operator() {
    if store::is_eventstoredb() {
        return;
    }
    let (bank, [first, second]) = restored("never", "ask");
    assert_eq!(bank.until(&first, "completed")["moved"], "40.00");
    assert_eq!(bank.until(&second, "completed")["moved"], "40.00");
    let stalled = bank.events(&second);
    assert_eq!(stalled, ["TransferRequested", "TransferStalled", "PayoutSettled", "TransferCompleted"]);
    assert_eq!(bank.provider.count("POST /pay"), 2);
    bank.check();
}

#[test]
fn a_restored_copy_that_can_ask_nobody_leaves_it_to_an_operator() {
    if store::is_eventstoredb() {
        return;
    }
    let (bank, [_, second]) = restored("never", "");
    assert_eq!(bank.until(&second, "needs_operator")["code"], "restored");
    let body = json!({"transaction_id": crate::support::http::id(), "reason": "the journal of the ATM", "outcome": "done"});
    assert_eq!(bank.post(&format!("/v1/transfers/{second}/outcome"), body).status, 202);
    assert_eq!(bank.until(&second, "completed")["moved"], "40.00");
    assert_eq!(bank.provider.count("POST /pay"), 2);
    bank.check();
}

#[test]
fn a_restored_copy_sends_again_under_the_old_key_where_that_is_honoured() {
    if store::is_eventstoredb() {
        return;
    }
    let (bank, transfers) = restored("same_key", "");
    for transfer in &transfers {
        assert_eq!(bank.until(transfer, "completed")["moved"], "40.00");
        assert_eq!(bank.provider.paid(transfer), ["40.00"], "it is paid once");
    }
    bank.check();
}
