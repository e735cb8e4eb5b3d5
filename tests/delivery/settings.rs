//! The settings of destinations: what can't be right is refused, with its line and the reason.

use bookonce::delivery::settings::destinations;
use bookonce::domain::delivery::decide::Begin;
use bookonce::domain::delivery::terms::{Guarantee, Order};

const URL: &str = "kind = 'webhook'\nurl = 'https://crm.example/hooks'\n";

fn refused(text: &str) -> (usize, String) {
    let error = destinations(text).expect_err(text);
    (error.line, error.to_string())
}

#[test]
fn a_destination_is_made_of_its_settings_and_the_defaults() {
    let text = format!("[messages]\ngeneration = 3\n[destinations.crm]\n{URL}guarantee = 'at_least_once'\n");
    let [crm] = &destinations(&text).unwrap()[..] else { panic!() };
    assert_eq!((crm.name.as_str(), crm.begin, crm.is_removed), ("crm", Begin::Unsaid, false));
    let terms = &crm.terms;
    assert_eq!((terms.generation, terms.guarantee, terms.order), (3, Guarantee::AtLeastOnce, Order::Account));
    assert_eq!((terms.in_flight, terms.claim, terms.retry.seconds().len()), (64, 100, 9));
    assert_eq!(terms.channel.target(), "https://crm.example/hooks");
    assert!(crm.secrets.is_empty() && destinations("listen = '127.0.0.1:1'").unwrap().is_empty());
}

#[test]
fn every_setting_is_taken() {
    let text = "[destinations.crm]\nkind = 'webhook'\nurl = 'http://10.0.0.1/'\nguarantee = 'at_most_once'\n\
        order = 'none'\non_dead = 'go_on'\nfrom = 17\nretry = ['1s', '2h']\nin_flight = 1024\nclaim = 1\n\
        removed = true\nallow_http = true\nallow_private = ['10.0.0.0/8']\n\
        [destinations.crm.select]\ntypes = ['Withdrawn']\naccounts = ['shop-*']\ncurrencies = ['EUR']\n\
        amount_min = '100.00'\nmetadata = { device_id = 'atm-*' }\nnone = true\n\
        [destinations.b]\nkind = 'webhook'\nurl = 'https://b.example/'\nguarantee = 'exactly_once_effect'\nfrom = 'start'\n\
        [destinations.c]\nkind = 'webhook'\nurl = 'https://c.example/'\nguarantee = 'at_least_once'\nfrom = 'now'\n";
    let all = destinations(text).unwrap();
    let begins: Vec<Begin> = all.iter().map(|given| given.begin).collect();
    assert_eq!(begins, [Begin::After(0), Begin::Here, Begin::After(17)]);
    let crm = &all[2];
    assert!(crm.is_removed && crm.terms.select.none);
    assert_eq!(
        (crm.terms.in_flight, crm.terms.claim, crm.terms.retry.seconds()),
        (1_024, 1, &[1, 7_200][..])
    );
    assert_eq!(crm.terms.select.amount_min.unwrap().to_string(), "100.00");
}

/// Guards against: a setting that is misspelt and has no effect, and a guarantee that nobody chose.
#[test]
fn what_cannot_be_right_is_refused_with_its_line() {
    let with = |more: &str| format!("[destinations.crm]\n{URL}guarantee = 'at_least_once'\n{more}\n");
    for (text, line, named) in [
        (format!("[destinations.crm]\n{URL}"), 1, "`guarantee` must be said"),
        (format!("\n\n[destinations.Crm]\n{URL}"), 3, "name must be"),
        ("[destinations.crm]\nkind = 'nats'".into(), 2, "\"nats\" is not built into"),
        ("[destinations.crm]\nkind = 'webhook'".into(), 1, "needs a `url`"),
        ("[destinations.crm]\nurl = 'https://a.example'".into(), 1, "missing field `kind`"),
        (with("retries = 3"), 5, "unknown field `retries`"),
        (with("secret = 'whsec_x'"), 5, "unknown field `secret`"),
        (with("order = 'random'"), 5, "`order` can't be \"random\""),
        (with("on_dead = 'hold_account'"), 5, "`on_dead` must be \"go_on\""),
        (with("from = 'yesterday'"), 5, "`from` must be"),
        (with("from = -1"), 5, "`from` must be"),
        (with("retry = []"), 5, "`retry` must be"),
        (with("retry = ['5']"), 5, "`retry` must be"),
        (with("in_flight = 0"), 5, "`in_flight` must be from 1 to 1024"),
        (with("claim = 1001"), 5, "`claim` must be from 1 to 1000"),
        (with("allow_private = ['crm:80']"), 1, "\"crm:80\""),
        (with("secret_files = ['/nowhere/secret']"), 5, "/nowhere/secret can't be read"),
        (with("secret_files = ['/proc/self/comm']"), 5, "has no `whsec_`"),
        (with("[destinations.crm.select]\ncurrencies = ['EURO']"), 6, "`currencies` can't be \"EURO\""),
        (with("[destinations.crm.select]\namount_min = '-1'"), 6, "`amount_min` can't be"),
        (with("[destinations.crm.select]\naccount = ['a']"), 6, "unknown field `account`"),
        (with("").replace("at_least_once", "usually"), 4, "`guarantee` can't be \"usually\""),
        (with("").replace("https://crm", "https://user:secret@crm"), 3, "`url` must have no user"),
        (with("").replace("https://crm.example", "http://crm.example"), 3, "`url` must begin with https://"),
        (with("").replace("crm.example", "127.1"), 3, "blocked address 127.0.0.1"),
    ] {
        let (at, told) = refused(&text);
        assert!(told.contains(named), "{text}: {told}");
        assert_eq!(at, line, "{text}: {told}");
        assert!(!told.contains("user:secret"), "{told}");
    }
}
