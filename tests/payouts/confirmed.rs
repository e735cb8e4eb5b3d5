//! A driver that had to wait after it had tried to record that it sends a payout, and what may have been recorded meanwhile.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Verdict, Workings};

use crate::counter::Counter;
use crate::faulty::{Fate, Faults};
use crate::support::http::Service;
use crate::support::{id, options, store};
use crate::transfers::cancel;

/// These are the number of the transfer, and that of its cancel.
const NUMBERS: (u128, u128) = (7, 8);

/// The record of the sending fails, so that the driver waits and tries again; the cancel comes right behind the second try.
/// Seen failing while a driver that had waited sent as soon as it was recorded.
#[test]
fn a_payout_whose_driver_has_waited_is_not_sent_when_more_was_recorded_of_it() {
    if store::is_eventstoredb() {
        return;
    }
    let faults = Faults::default();
    let around = faults.clone();
    let service = Service::opened(move |data| {
        let appends = Box::new(move |inner| around.around(inner));
        Ledger::open_with(options(data, system_clock()), Workings { appends, ..Workings::default() })
    });
    let counter = Counter::over(service, "never", "cancel", "");
    let transfer = id(NUMBERS.0).to_string();
    let before = faults.submitted();
    faults.hold();
    std::thread::scope(|threads| {
        let requested = threads.spawn(|| counter.request(&transfer, 3_600));
        // The request and the hold land, and the disk is full for the first try to record the sending.
        for (nth, fate) in [(1, Fate::Lands), (2, Fate::Lands), (3, Fate::Full)] {
            faults.wait_submitted(before + nth);
            faults.plan([fate]);
            faults.pass();
        }
        assert_eq!(requested.join().unwrap().status, 202);
        faults.wait_submitted(before + 4);
    });
    let ledger = counter.service.app.ledger();
    let cancelled = counter.service.wait_for(async {
        let mut cancel = pin!(ledger.execute(vec![cancel(NUMBERS.1, NUMBERS.0)]));
        // It is in the queue from its first poll on, before the driver can ask for anything.
        assert!(poll_fn(|context| Poll::Ready(cancel.as_mut().poll(context).is_pending())).await);
        faults.let_go();
        cancel.await
    });
    assert!(matches!(cancelled.unwrap()[..], [Verdict::Booked(..)]));
    assert_eq!(counter.end(&transfer)["state"], "cancelled");
    let first = ["TransferRequested", "PayoutSent", "TransferCancelRequested"];
    assert_eq!(counter.events(&transfer)[..3], first);
    assert_eq!(counter.provider.count("POST /pay"), 0, "it was told to cancel before it sent");
}
