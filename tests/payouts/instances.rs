//! Two instances on one store drive the same payouts at once: each is sent once, by the one whose claim is recorded.

use bookonce::domain::command::{Command, Operation};
use bookonce::domain::ids::{AccountName, Id, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};
use bookonce::payouts::{GivenProviders, providers};

use crate::support::http::{Service, id};
use crate::support::node::Node;
use crate::support::provider::Provider;
use crate::support::store;

fn request(transfer: &str) -> Command {
    let transfer = TransactionId::parse(transfer).unwrap();
    let requesting = Requesting {
        from: AccountName::parse("alice").unwrap(),
        to: Payee::parse("@external:atm").unwrap(),
        amount: WrittenAmount::parse("1.00").unwrap(),
        timeout_seconds: TimeoutSeconds::default(),
        metadata: Metadata::default(),
    };
    Command {
        id: Id::Client(transfer),
        stream: StreamName::Transfer(transfer),
        operation: Operation::Transfer(TransferOperation::Request(Box::new(requesting))),
        origin: Origin { correlation: None, causation: None, actor: "test".into() },
    }
}

/// Guards against: two instances that both take the stored claim for theirs, and both send.
#[test]
fn of_two_instances_one_sends_a_payout_and_both_bring_it_to_its_end() {
    let node = Node::standin();
    let provider = Provider::start(false);
    let settings = format!("[atm]\n{}", provider.settings("never", "ask", ""));
    let services = [(); 2].map(|()| {
        let service = Service::over(tempfile::tempdir().unwrap(), &node.connection_string());
        store::until("the service is ready", || service.get("/readyz").status == 200);
        let given: GivenProviders = toml::from_str(&settings).unwrap();
        service.pay_through(providers(&given).unwrap());
        service
    });
    services[0].account("alice");
    store::until("the other knows the account", || services[1].get("/v1/accounts/alice").status == 200);
    let transfers: Vec<String> = (0..20).map(|_| id()).collect();
    for transfer in &transfers {
        let verdicts =
            services[0].wait_for(services[0].app.ledger().execute(vec![request(transfer)])).unwrap();
        for service in &services {
            service.inside(|| service.app.sagas().goes_on(&verdicts, Vec::new()));
        }
    }
    for transfer in &transfers {
        let ended = services[1].get(&format!("/v1/transfers/{transfer}?wait=30")).json();
        assert_eq!(ended["state"], "completed", "{ended}");
        assert_eq!(provider.paid(transfer), ["1.00"]);
    }
    assert_eq!(provider.count("POST /pay"), transfers.len());
    drop(services);
}
