//! These tests run three instances over one store: clients go from one to another, while instances are killed,
//! subscriptions dropped, and the store restarts and loses answers. Each ID is booked once, every answer of it is the
//! first one byte for byte, nothing that was answered is lost, and all instances come to the same state, which is that
//! of a model that only reads the journal.
//!
//! Catches, each seen once: a follower that trusts its subscription and goes on with a new one from the end of the journal
//! (the index misses events, and the instance says so); in [`races`], event ids that are made of the transaction ID alone
//! (two instances told of two answers), and a refusal on what an instance happens to know.

mod clients;
#[path = "../support/instances.rs"]
mod instances;
#[path = "../support/model.rs"]
mod model;
#[path = "../support/movers.rs"]
mod movers;
mod races;
mod transfers;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bookonce::answers::render;
use bookonce::store::codec;
use clients::{CLIENTS, Instances, Shared};
use eventstore_standin::{Options, Running, Standin};
use instances::{DEADLINE, Hurry, instance, stop};
use model::Model;
use support::process::{Process, send};
use support::teller::Dice;

/// How many commands are answered, the repeated ones among them; another number may be named in `BOOKONCE_TEST_COMMANDS`.
const MANY: usize = 50_000;
/// So often something happens meanwhile.
const EVENTS: usize = 24;
/// IDs that are asked for again at the end, of each instance.
const SAMPLE: usize = 300;
/// This is the number of requests that are sent once more in one batch.
const LINES_AT_ONCE: usize = 1_000;

const FAULTS: &str = "seed=11,lost-request=0.0005,lost-answer=0.001,late=0.0005:700ms,cut-before=0.0002,cut-after=0.0003,\
                      timeout=0.001,no-position=0.05,delay=0.01:30ms,visibility-lag=1ms,most-waiting=32";

fn start(node: &Running, data: &Path) -> Process {
    let store = node.connection_string();
    Process::start_with(data, &["--store", &store], &[]).unwrap_or_else(|said| panic!("{said}"))
}

#[test]
fn three_instances_book_every_id_once_whatever_is_killed_and_whatever_is_lost() {
    let begun = Instant::now();
    let named = std::env::var("BOOKONCE_TEST_COMMANDS").ok();
    let commands: usize = named.map_or(MANY, |named| named.parse().unwrap());
    let options = Options { faults: FAULTS.parse().unwrap(), ..Options::default() };
    let mut node = Standin::start(options).unwrap();
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut processes: Vec<Process> = folders.iter().map(|folder| start(&node, folder.path())).collect();
    let whereabouts: Instances = [0, 1, 2].map(|at| Mutex::new(Some(processes[at].address)));
    let shared = Shared::default();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (whereabouts, shared) = (&whereabouts, &shared);
                scope.spawn(move || clients::work(client, whereabouts, shared, commands))
            })
            .collect();
        let mut dice = Dice(20_261_121);
        for event in 1..=EVENTS {
            while shared.sent.load(Ordering::Relaxed) < event * commands / (EVENTS + 1) {
                assert!(!clients.iter().any(|client| client.is_finished()), "a client has failed");
                std::thread::sleep(Duration::from_millis(2));
            }
            let at = usize::try_from(dice.below(3)).unwrap();
            match event % 4 {
                0 => node.restart().unwrap(),
                1 => node.cut_connections(),
                _ => {
                    *whereabouts[at].lock().unwrap() = None;
                    processes[at].kill();
                    processes[at] = start(&node, folders[at].path());
                    *whereabouts[at].lock().unwrap() = Some(processes[at].address);
                }
            }
        }
    });
    let worked = begun.elapsed();
    node.faults().set("".parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let model = runtime.block_on(judge(&node, &shared));
    ask_again(&processes, &shared);
    agree(&processes, &model);
    let refused = &shared.refused.lock().unwrap().0;
    let count = |of: &std::sync::atomic::AtomicUsize| of.load(Ordering::Relaxed);
    println!(
        "{} commands, {} events, {} retried, {} reused, refused {refused:?}, worked {worked:?}, all {:?}",
        count(&shared.sent),
        model.first.len(),
        count(&shared.retried),
        count(&shared.reused),
        begun.elapsed()
    );
    assert!(count(&shared.sent) >= commands && count(&shared.retried) > 0 && count(&shared.reused) > 100);
    for process in &mut processes {
        assert_eq!(process.stop(), Some(0));
    }
}

/// The journal, as a fourth instance reads it, against the model and every answer that was given.
async fn judge(node: &Running, shared: &Shared) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let fourth = instance(&node.connection_string(), folder.path(), Hurry::default()).await;
    let mut model = Model::new(true);
    let answers = shared.answers.lock().unwrap().clone();
    let mut untold = 0;
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    loop {
        let lines = fourth.lines(model.position, 10_000).await.unwrap();
        if lines.is_empty() {
            break;
        }
        for line in String::from_utf8(lines).unwrap().lines() {
            model.line(line);
            let event = codec::decode(line.as_bytes()).unwrap().event;
            let (id, answer) = (event.id.to_string(), render(&event));
            if let Some(told) = answers.get(&id) {
                assert_eq!(told.0, answer.status);
                assert_eq!(told.1.as_bytes(), answer.body, "another answer than the journal's");
            } else {
                // Refused by one instance, then booked by another whose answer was lost: its client may have stopped asking.
                assert!(shared.refused.lock().unwrap().1.contains(&id), "nobody was told of {line}");
                untold += 1;
            }
            *kinds.entry(event.type_name().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(model.first.len(), answers.len() + untold, "every answer is in the journal");
    let (position, digest) = fourth.digest(None).await.unwrap();
    assert_eq!((position, digest), (model.position, model.digest()), "a fresh index and the replay");
    stop(fourth).await;
    println!("{kinds:?}");
    for kind in ["AccountOpened", "Deposited", "Withdrawn", "Declined", "Reversed", "Prevented", "Frozen"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 20), "too few of {kind}: {kinds:?}");
    }
    model
}

/// Sends every request of a batch once more, each to one of the instances in turn, and asks each instance for some of the
/// IDs. The requests that were sent alone are only asked for.
fn ask_again(processes: &[Process], shared: &Shared) {
    let answers = shared.answers.lock().unwrap().clone();
    let lines = shared.lines.lock().unwrap().clone();
    let booked: Vec<_> = lines.iter().filter(|(id, _)| answers.contains_key(*id)).collect();
    for (requests, process) in booked.chunks(LINES_AT_ONCE).zip(processes.iter().cycle()) {
        let lines: Vec<&str> = requests.iter().map(|(_, line)| line.as_str()).collect();
        for ((id, _), again) in requests.iter().zip(clients::once_more(process.address, &lines)) {
            let (status, body) = &answers[*id];
            assert!(again.replayed, "{id} was answered before, and now {again:?}");
            assert_eq!((again.status, &again.body), (*status, body), "another answer than the first");
        }
    }
    let step = (answers.len() / SAMPLE).max(1);
    for process in processes {
        for (id, (status, body)) in answers.iter().step_by(step) {
            let reply = send(process.address, "GET", &format!("/v1/transactions/{id}"), "").unwrap();
            assert_eq!(reply.status, 200, "{id} {status}: {}", reply.body);
            assert!(reply.body.contains(body.as_str()), "{} should hold {body}", reply.body);
        }
    }
}

/// All instances come to the state that the model has.
fn agree(processes: &[Process], model: &Model) {
    let digest = format!(r#"{{"position":{},"digest":"{}"}}"#, model.position, model.digest());
    for process in processes {
        let begun = Instant::now();
        loop {
            let said = send(process.address, "GET", "/v1/digest", "").unwrap().body;
            if said == digest {
                break;
            }
            assert!(begun.elapsed() < DEADLINE, "{said} is not {digest}");
        }
        let balance = send(process.address, "GET", "/v1/trial-balance", "").unwrap();
        assert!(balance.body.contains(r#""balanced":true"#), "{balance:?}");
        let metrics = send(process.address, "GET", "/metrics", "").unwrap().body;
        assert!(metrics.contains("\nbookonce_transaction_ids_on_two_accounts 0\n"), "{metrics}");
    }
}
