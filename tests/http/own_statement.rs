//! The statement of one of the ledger's own accounts says what the account had after each movement, before and after each
//! page, as JSON and as CSV. Each balance is compared with what the account had at that position by the journal alone.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::http::{Service, id};

const PATH: &str = "/v1/accounts/@till/entries";

/// Returns a service with seven movements through the till, in two currencies, and others that do not go through it.
fn service() -> Service {
    let service = Service::start();
    for (account, currency) in [("alice", "EUR"), ("bob", "EUR"), ("yumi", "JPY")] {
        let body = json!({"transaction_id": id(), "account": account, "currency": currency, "overdraft_limit": "1000"});
        assert_eq!(service.post("/v1/accounts", body.to_string()).status, 201);
    }
    let first = through(&service, "alice", "deposits", "50");
    through(&service, "bob", "withdrawals", "20");
    through(&service, "yumi", "deposits", "700");
    let body = json!({"transaction_id": id(), "amount": "9"});
    assert_eq!(service.post("/v1/accounts/alice/deposits", body.to_string()).status, 201);
    through(&service, "alice", "withdrawals", "5.50");
    let body = json!({"transaction_id": id(), "reverses": first, "amount": "12", "reason": "counted again"});
    assert_eq!(service.post("/v1/accounts/alice/reversals", body.to_string()).status, 201);
    through(&service, "yumi", "withdrawals", "300");
    through(&service, "bob", "deposits", "3");
    service
}

fn through(service: &Service, account: &str, what: &str, amount: &str) -> String {
    let id = id();
    let body = json!({"transaction_id": id, "amount": amount, "counter_account": "@till"}).to_string();
    assert_eq!(service.post(&format!("/v1/accounts/{account}/{what}"), body).status, 201);
    id
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("{page}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// Returns what the account has at a position by the journal alone.
fn by_the_journal(service: &Service, position: &Value) -> Value {
    let reply = service.get(&format!("/v1/accounts/@till?at_position={position}"));
    reply.json()["balances"].clone()
}

/// Returns all pages of a statement; something is booked before each of them but the first.
fn pages(service: &Service, more: &str, limit: usize) -> Vec<Value> {
    let mut pages = vec![service.get(&format!("{PATH}?limit={limit}{more}")).json()];
    while let Some(cursor) = pages[pages.len() - 1]["next"].as_str().map(str::to_owned) {
        through(service, "alice", "deposits", "1000");
        pages.push(service.get(&format!("{PATH}?limit={limit}{more}&cursor={cursor}")).json());
    }
    pages
}

/// Seen failing with a line that says what the account had before it, and with a page that forgot what its cursor carries.
#[test]
fn each_line_says_what_the_account_had_after_it_and_pages_follow_each_other() {
    for order in ["oldest", "newest"] {
        let service = service();
        let whole = service.get(&format!("{PATH}?order={order}")).json();
        assert_eq!((items(&whole).len(), &whole["next"]), (7, &Value::Null));
        assert_eq!(whole["opening_balances"], json!({"EUR": "0.00", "JPY": "0"}));
        assert_eq!(whole["closing_balances"], json!({"EUR": "-15.50", "JPY": "-400"}));
        assert_eq!(whole["closing_balances"], whole["balances"]);
        for line in items(&whole) {
            let had = by_the_journal(&service, &line["position"]);
            assert_eq!(line["balance"], had[text(line, "currency")], "{line}");
        }
        for limit in [1, 2, 3, 6] {
            let pages = pages(&service, &format!("&order={order}"), limit);
            let lines: Vec<&Value> = pages.iter().flat_map(items).collect();
            // What was booked before the first page of the limits before this one is in it, too.
            let seven = if order == "oldest" { &lines[..7] } else { &lines[lines.len() - 7..] };
            assert_eq!(seven, items(&whole).iter().collect::<Vec<_>>());
            for two in pages.windows(2) {
                let (one, other) = if order == "oldest" { (0, 1) } else { (1, 0) };
                assert_eq!(two[one]["closing_balances"], two[other]["opening_balances"], "{order} {limit}");
            }
        }
    }
}

/// Returns the cursor that an earlier version of the program gave after a line: it names the position and nothing more.
fn earlier_cursor(service: &Service, order: &str, position: &str) -> String {
    let head = service.get("/v1/journal/head").json();
    let key = uuid::Uuid::parse_str(text(&head, "journal_id")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    // What list it is of: its path, and each parameter that a list may have. Of these the sixth is the order.
    mac.update(format!("entries/@till{}{order}{}{position}", "\0".repeat(6), "\0".repeat(6)).as_bytes());
    hex::encode([position.as_bytes(), &mac.finalize().into_bytes()[..8]].concat())
}

/// Guards against: a cursor from before an upgrade that is refused, or whose page begins with what the account has now.
#[test]
fn a_cursor_of_an_earlier_version_goes_on_with_the_same_balances() {
    let service = service();
    for order in ["oldest", "newest"] {
        let whole = service.get(&format!("{PATH}?order={order}")).json();
        for at in 0..6 {
            let position = items(&whole)[at]["position"].to_string();
            let cursor = earlier_cursor(&service, order, &position);
            let page = service.get(&format!("{PATH}?order={order}&cursor={cursor}")).json();
            assert_eq!(items(&page)[..], items(&whole)[at + 1..], "{order} {at}");
        }
    }
}

/// Guards against: balances that leave out what a filter leaves out, and a period that does not begin with what was there
/// before.
#[test]
fn what_a_filter_leaves_out_counts_in_the_balances() {
    let service = service();
    let whole = service.get(&format!("{PATH}?order=oldest")).json();
    let all = items(&whole);
    for order in ["oldest", "newest"] {
        for limit in [1, 2, 100] {
            let pages = pages(&service, &format!("&order={order}&kind=withdrawal&to={}", later(all)), limit);
            let lines: Vec<&Value> = pages.iter().flat_map(items).collect();
            assert_eq!(lines.len(), 3);
            assert!(lines.iter().all(|line| all.contains(line)));
            for two in pages.windows(2) {
                let (one, other) = if order == "oldest" { (0, 1) } else { (1, 0) };
                assert_eq!(two[one]["closing_balances"], two[other]["opening_balances"], "{order} {limit}");
            }
        }
        // From the third movement to before the sixth.
        let period = format!("from={}&to={}", text(&all[2], "recorded_at"), text(&all[5], "recorded_at"));
        let page = service.get(&format!("{PATH}?order={order}&{period}")).json();
        // Of the second currency there was nothing before the third movement.
        assert_eq!(page["opening_balances"], json!({"EUR": "-30.00", "JPY": "0"}));
        assert_eq!(by_the_journal(&service, &all[1]["position"]), json!({"EUR": "-30.00"}));
        assert_eq!(page["closing_balances"], by_the_journal(&service, &all[4]["position"]));
        let mut shown = items(&page).clone();
        if order == "newest" {
            shown.reverse();
        }
        assert_eq!(shown, all[2..5]);
        let nothing =
            service.get(&format!("{PATH}?order={order}&to={}", text(&all[0], "recorded_at"))).json();
        assert_eq!((items(&nothing).len(), &nothing["opening_balances"]), (0, &nothing["closing_balances"]));
    }
}

/// Returns a moment after all of these lines and before what is booked from now on, as far as the clock tells them apart.
fn later(lines: &[Value]) -> String {
    let last = lines.iter().map(|line| text(line, "recorded_at")).max().unwrap();
    // A microsecond later.
    let micros: u32 = last[20..26].parse().unwrap();
    format!("{}.{:06}Z", &last[..19], micros.saturating_add(1).min(999_999))
}

/// Guards against: a statement in CSV that can't be added up, or that is cut at a page.
#[test]
fn as_csv_it_comes_whole_and_adds_up() {
    let service = service();
    let line = || {
        json!({"op": "deposit", "transaction_id": id(), "account": "alice", "amount": "0.01", "counter_account": "@till"})
            .to_string()
    };
    let lines: Vec<String> = std::iter::repeat_with(line).take(1_100).collect();
    assert_eq!(service.batch(&lines).len(), 1_100);
    for order in ["oldest", "newest"] {
        let reply = service.send("GET", &format!("{PATH}?order={order}"), &[("accept", "text/csv")], "");
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("text/csv; charset=utf-8; header=present"))
        );
        let mut reader = csv::Reader::from_reader(reply.text().as_bytes());
        assert_eq!(
            reader.headers().unwrap().iter().take(3).collect::<Vec<_>>(),
            ["position", "recorded_at", "effective_at"]
        );
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        let (mut opened, mut closed) = (BTreeMap::new(), BTreeMap::new());
        let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
        let mut count = 0;
        for row in reader.records() {
            let row = row.unwrap();
            let currency = row[7].to_owned();
            match &row[4] {
                "opening_balance" => drop(opened.insert(currency, cents(&row[6]))),
                "closing_balance" => drop(closed.insert(currency, cents(&row[6]))),
                _ => {
                    *sums.entry(currency).or_default() += cents(&row[5]);
                    count += 1;
                }
            }
        }
        assert_eq!(count, 1_107);
        for (currency, sum) in sums {
            assert_eq!(opened[&currency] + sum, closed[&currency], "{order} {currency}");
        }
        assert_eq!((opened["EUR"], closed["EUR"]), (0, -1_550 - 1_100));
    }
    let refused = service.send("GET", &format!("{PATH}?limit=5"), &[("accept", "text/csv")], "");
    assert_eq!((refused.status, refused.fields()), (400, vec!["limit".to_owned()]));
}
