//! This test lets clients ask three instances for transfers between the same accounts, while the store loses requests and
//! answers, and kills one of them.

use std::sync::{Arc, Mutex};

use eventstore_standin::{Options, Standin};

use crate::FAULTS;
use crate::movers;
use crate::support::process::{Process, send};
use crate::support::store::until;
use crate::support::teller::{Whereabouts, ask_again};

/// This many clients ask each instance.
const MOVERS: u64 = 5;
/// Each asks for so many transfers.
const EACH: u64 = 40;

/// The killed instance's transfers are taken up by the others or by itself when it is back. Guards against: two drivers that
/// move twice, a transfer that nobody takes up, and instances that answer otherwise.
#[test]
fn each_transfer_moves_once_or_not_whoever_drives_it() {
    let node = Standin::start(Options { faults: FAULTS.parse().unwrap(), ..Options::default() }).unwrap();
    let store = node.connection_string();
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let start = |at: usize| {
        let process = Process::start_with(folders[at].path(), &["--store", &store], &[]).unwrap();
        let ready = || send(process.address, "GET", "/readyz", "").is_ok_and(|reply| reply.status == 200);
        until("the instance is ready", ready);
        process
    };
    let mut processes = [start(0), start(1), start(2)];
    let places: [Whereabouts; 3] =
        std::array::from_fn(|at| Arc::new(Mutex::new(Some(processes[at].address))));
    movers::prepare(&places[0]);
    let moved: Vec<movers::Moved> = std::thread::scope(|scope| {
        let movers: Vec<_> = (0..3 * MOVERS)
            .map(|mover| {
                let place = &places[usize::try_from(mover % 3).unwrap()];
                scope.spawn(move || movers::work(mover, EACH, place))
            })
            .collect();
        // It is killed when some of the work is done, whatever the machine's pace.
        until("transfers have begun", || processes[1].head() > 500);
        processes[0].kill();
        *places[0].lock().unwrap() = None;
        processes[0] = start(0);
        *places[0].lock().unwrap() = Some(processes[0].address);
        movers.into_iter().flat_map(|mover| mover.join().unwrap()).collect()
    });
    let ends = movers::prove(&moved, processes[1].address);
    println!("{} transfers: {ends:?}", moved.len());
    for place in &places {
        moved.iter().step_by(7).for_each(|it| ask_again(&it.first, place));
    }
    let digest = |process: &Process| send(process.address, "GET", "/v1/digest", "").unwrap().body;
    until("all instances agree", || {
        let [one, two, three] = processes.each_ref().map(digest);
        one == two && two == three
    });
}
