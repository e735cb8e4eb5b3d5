//! The real program, three times over one event store, with a receiver beside it: who sends is stopped, killed, and stopped for
//! longer than it takes to be followed.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventstore_standin::{Options, Running, Standin};
use serde_json::Value;

use crate::receiver::{Arrival, Does, Receiver};
use crate::running::one;
use crate::support::http::id;
use crate::support::process::{Process, bookonce, send};
use crate::support::store;

/// A `Cluster` is three instances over one store, each with a folder and a settings file of its own.
struct Cluster {
    node: Running,
    folder: tempfile::TempDir,
    services: Vec<Option<Process>>,
}

impl Cluster {
    /// Starts three. The first one reaches the store by a way that can be cut, and serves every destination.
    fn new(settings: &str) -> (Self, Way) {
        let node = Standin::start(Options::default()).unwrap();
        let mut cluster = Self { node, folder: tempfile::tempdir().unwrap(), services: Vec::new() };
        let way = Way::to(cluster.node.address());
        let first = cluster.start(0, settings, &way.connection_string());
        cluster.services.push(Some(first));
        // The first one has all destinations before another is there.
        store::until("the first one serves", || {
            cluster.names().iter().all(|name| cluster.count(name, "ServingTaken") == 1)
        });
        for at in 1..3 {
            let started = cluster.start(at, settings, &cluster.node.connection_string());
            cluster.services.push(Some(started));
        }
        (cluster, way)
    }

    fn arguments(&self, at: usize, settings: &str, store: &str) -> Vec<String> {
        let config = self.folder.path().join(format!("{at}.toml"));
        std::fs::write(&config, settings).unwrap();
        ["--config", config.to_str().unwrap(), "--store", store].map(str::to_owned).to_vec()
    }

    fn start(&self, at: usize, settings: &str, store: &str) -> Process {
        let arguments = self.arguments(at, settings, store);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let data = self.folder.path().join(format!("data-{at}"));
        let started = Process::start_with(&data, &arguments, &[]).unwrap();
        let address = started.address;
        store::until("the instance is ready", || {
            send(address, "GET", "/readyz", "").is_ok_and(|reply| reply.status == 200)
        });
        started
    }

    /// Returns the names of the destinations that the instances were started with.
    fn names(&self) -> Vec<String> {
        let settings = std::fs::read_to_string(self.folder.path().join("0.toml")).unwrap();
        let names =
            settings.lines().filter_map(|line| line.strip_prefix("[destinations.")?.strip_suffix("]"));
        names.map(str::to_owned).collect()
    }

    /// Returns the last one, which nothing happens to.
    fn service(&self) -> &Process {
        self.services.iter().flatten().last().unwrap()
    }

    /// Asks one that lives until it has booked it, once.
    fn books(&self, path: &str, rest: &str) {
        let body = format!("{{\"transaction_id\":\"{}\",{rest}}}", id());
        store::until("it is booked", || {
            send(self.service().address, "POST", path, &body).is_ok_and(|reply| reply.status == 201)
        });
    }

    fn opens(&self, accounts: u32) {
        (0..accounts)
            .for_each(|n| self.books("/v1/accounts", &format!("\"account\":\"a-{n}\",\"currency\":\"EUR\"")));
    }

    fn deposits(&self, count: u32, accounts: u32) {
        (0..count).for_each(|n| {
            self.books(&format!("/v1/accounts/a-{}/deposits", n % accounts), "\"amount\":\"1.00\"");
        });
    }

    fn journal(&self) -> Vec<Value> {
        self.service().journal().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the events of a destination, in their order.
    fn events(&self, destination: &str) -> Vec<Value> {
        let stream = format!("delivery-{destination}");
        self.journal().into_iter().filter(|line| line["stream"] == stream.as_str()).collect()
    }

    fn count(&self, destination: &str, kind: &str) -> usize {
        self.events(destination).iter().filter(|event| event["type"] == kind).count()
    }

    /// Returns the positions of the events of accounts, and of those whose message to a destination is a letter.
    fn sent_or_dead(&self, destination: &str) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let (mut events, mut letters) = (BTreeSet::new(), BTreeSet::new());
        for line in self.journal() {
            if line["stream"].as_str().unwrap().starts_with("account-") {
                events.insert(line["position"].as_u64().unwrap());
            }
            if line["type"] == "DeadLettered" && line["data"]["source"] == destination {
                assert!(letters.insert(line["data"]["position"].as_u64().unwrap()), "two letters: {line}");
            }
        }
        (events, letters)
    }

    fn is_all(&self, destination: &str, receiver: &Receiver) -> bool {
        let (events, letters) = self.sent_or_dead(destination);
        let taken: BTreeSet<u64> = receiver.taken().into_keys().collect();
        taken.union(&letters).copied().collect::<BTreeSet<_>>() == events
    }

    fn stops(&mut self, at: usize) {
        assert_eq!(self.services[at].take().unwrap().stop(), Some(0));
    }
}

/// A `Way` is a way of one instance to the store. It can be cut, and mended.
struct Way {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
}

impl Way {
    fn to(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, is_cut) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let cut = Arc::clone(&is_cut);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // While it is cut nobody hears anything, as when a cable is out.
                if let (false, Ok(server)) = (cut.load(Ordering::SeqCst), TcpStream::connect(node)) {
                    for (from, to) in [(&client, &server), (&server, &client)] {
                        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                        let cut = Arc::clone(&cut);
                        std::thread::spawn(move || carry(from, to, &cut));
                    }
                }
            }
        });
        Self { address, is_cut }
    }

    fn connection_string(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }
}

/// Carries bytes until the way is cut or one of the two ends.
fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut bytes = [0; 16_384];
    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while !is_cut.load(Ordering::SeqCst) {
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) if to.write_all(&bytes[..count]).is_err() => break,
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _closed_already = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn times(receiver: &Receiver) -> std::collections::BTreeMap<u64, usize> {
    let mut times = std::collections::BTreeMap::new();
    receiver.arrivals().iter().for_each(|arrival| *times.entry(arrival.position).or_default() += 1);
    times
}

/// Guards against: an event store under which nothing is sent, or by each instance; a message that is parked or dead there and
/// can't be read again (seen failing with positions taken for numbers without gaps); settings that are refused too late.
#[test]
fn one_of_three_instances_sends_and_another_goes_on_when_it_stops() {
    if store::is_eventstoredb() {
        return;
    }
    // One message is refused when it comes first: it is parked there, and dead here.
    let refuses = |arrival: &Arrival, before| {
        let is_first = (arrival.subject.as_str(), arrival.revision, before) == ("account-a-3", 2, 0);
        if is_first { Does::Answers(422, None) } else { Does::Takes }
    };
    let (crm, sms) = (Receiver::start(refuses), Receiver::start(refuses));
    let settings =
        one("crm", &crm, "at_least_once", "retry = ['1s']") + &one("sms", &sms, "at_most_once", "claim = 4");
    let (mut cluster, _way) = Cluster::new(&settings);
    cluster.opens(5);
    cluster.deposits(25, 5);
    store::until("all has come", || cluster.is_all("crm", &crm) && cluster.is_all("sms", &sms));
    cluster.stops(0);
    cluster.deposits(25, 5);
    store::until("all has come", || cluster.is_all("crm", &crm) && cluster.is_all("sms", &sms));
    for receiver in [&crm, &sms] {
        assert!(receiver.taken().values().all(|times| *times == 1), "{:?}", receiver.taken());
        let terms: BTreeSet<u64> = receiver.arrivals().iter().map(|arrival| arrival.term).collect();
        assert_eq!(terms.len(), 2, "two have served it");
    }
    crm.assert_in_order();
    assert_eq!((cluster.sent_or_dead("crm").1.len(), cluster.sent_or_dead("sms").1.len()), (0, 1));
    assert_eq!((cluster.count("crm", "ServingTaken"), cluster.count("crm", "ServingReleased")), (2, 1));

    let changed = settings.replace("at_least_once", "exactly_once_effect");
    let data = cluster.folder.path().join("data-0");
    let mut arguments = cluster.arguments(0, &changed, &cluster.node.connection_string());
    arguments.extend(["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()].map(str::to_owned));
    let arguments: Vec<&str> = ["serve"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let (code, said, complaint) = bookonce(&arguments);
    assert_eq!(code, 2, "{said}{complaint}");
    assert!(complaint.contains("line 1: the destination crm is recorded with other settings"), "{complaint}");
    let (code, said, complaint) = bookonce(&["verify", "--store", &cluster.node.connection_string()]);
    assert_eq!(code, 0, "{said}{complaint}");
}

/// What happens to the instance that serves.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Killed,
    Stopped,
    CutOff,
}

/// Sends through a blow to the instance that serves, and checks what arrived.
fn through(blow: Blow) {
    // It answers slowly, so that something is under way at any time.
    let slowly = |_: &_, _| {
        std::thread::sleep(Duration::from_millis(30));
        Does::Takes
    };
    let (crm, sms) = (Receiver::start(slowly), Receiver::start(slowly));
    let more = "claim = 20\nin_flight = 2";
    let settings = one("crm", &crm, "at_least_once", more) + &one("sms", &sms, "at_most_once", more);
    let (mut cluster, way) = Cluster::new(&settings);
    cluster.opens(5);
    cluster.deposits(300, 5);
    store::until("it is amid it", || crm.arrivals().len() > 30 && sms.arrivals().len() > 30);
    match blow {
        Blow::Killed => cluster.services[0].as_mut().unwrap().kill(),
        Blow::Stopped => cluster.services[0].as_ref().unwrap().signal("STOP"),
        Blow::CutOff => way.cut(true),
    }
    if matches!(blow, Blow::Killed) {
        cluster.services[0] = None;
    }
    cluster.deposits(50, 5);
    store::until("another has taken it", || {
        ["crm", "sms"].iter().all(|name| cluster.count(name, "ServingTaken") == 2)
    });
    let by_first = |receiver: &Receiver| receiver.arrivals().iter().filter(|it| it.term == 1).count();
    let before = [by_first(&crm), by_first(&sms)];
    match blow {
        Blow::Killed => {}
        Blow::Stopped => {
            // It was stopped for a minute when it goes on.
            std::thread::sleep(Duration::from_secs(30));
            cluster.services[0].as_ref().unwrap().signal("CONT");
        }
        Blow::CutOff => way.cut(false),
    }
    cluster.deposits(20, 5);
    store::until("all has come", || cluster.is_all("crm", &crm) && cluster.is_all("sms", &sms));
    for (receiver, before) in [&crm, &sms].into_iter().zip(before) {
        // What it had begun may arrive, and that is what was under way.
        let late = by_first(receiver) - before;
        assert!(late <= 2, "{blow:?}: {late} were begun by who does not serve any more");
    }
    assert!(times(&sms).values().all(|times| *times == 1), "{:?}", times(&sms));
    crm.assert_in_order();
    for name in ["crm", "sms"] {
        let asked = cluster.count(name, "ServingChallenged");
        let answered = cluster.count(name, "ServingConfirmed");
        let taken = cluster.count(name, "ServingTaken");
        assert_eq!((taken, asked), (2, answered + 1), "{blow:?} {:?}", cluster.events(name));
    }
    for at in 0..3 {
        if cluster.services[at].is_some() {
            cluster.stops(at);
        }
    }
    let (code, said, complaint) = bookonce(&["verify", "--store", &cluster.node.connection_string()]);
    assert_eq!(code, 0, "{said}{complaint}");
}

/// Guards against: messages that an instance had claimed when it was killed, and that nobody sends or gives up. Seen failing
/// where a line was read by the position before it, and where the journal was followed from a position without an event.
#[test]
#[ignore = "long: an instance that is killed is followed after half a minute"]
fn nothing_is_lost_or_doubled_when_the_instance_that_serves_is_killed() {
    through(Blow::Killed);
}

#[test]
#[ignore = "long: an instance is stopped for a minute"]
fn nothing_is_lost_or_doubled_when_the_instance_that_serves_is_stopped_and_goes_on() {
    through(Blow::Stopped);
}

#[test]
#[ignore = "long: an instance that is cut off is followed after half a minute"]
fn nothing_is_lost_or_doubled_when_the_instance_that_serves_is_cut_off_from_the_store() {
    through(Blow::CutOff);
}
