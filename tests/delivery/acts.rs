//! An operator pauses destinations and lets them go on, in the folder that served them and in copies of it: the real program
//! with receivers beside it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::operator::{destination, read};
use crate::program::{Home, deposit, open};
use crate::receiver::{Does, Receiver};
use crate::running::one;
use crate::support::http::id;
use crate::support::process::{Process, Reply, bookonce, send, verify};
use crate::support::store;

fn act(service: &Process, name: &str, what: &str, body: &Value) -> Reply {
    send(service.address, "POST", &format!("/v1/destinations/{name}/{what}"), &body.to_string()).unwrap()
}

fn done(service: &Process, name: &str, what: &str, body: &Value) -> Value {
    let reply = act(service, name, what, body);
    assert_eq!((reply.status, reply.replayed), (201, false), "{what}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

fn because(reason: &str) -> Value {
    json!({"transaction_id": id(), "reason": reason})
}

fn said(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn copied(home: &Home, from: &str, to: &str) {
    let copied = Command::new("cp").arg("-r").args([home.path(from), home.path(to)]).status().unwrap();
    assert!(copied.success());
}

/// Guards against: a destination that is sent to after its pause was answered, an act that is done twice, and a retry that is
/// answered otherwise after a restart.
#[test]
fn a_paused_destination_is_not_sent_to_until_it_is_resumed() {
    if store::is_eventstoredb() {
        return;
    }
    let [receiver, other] = [(); 2].map(|()| Receiver::start(|_, _| Does::Takes));
    let settings = one("crm", &receiver, "at_least_once", "") + &one("erp", &other, "at_most_once", "");
    let home = Home::new(&settings);
    let mut service = home.serve("data", &[]).unwrap();
    open(&service, "alice");
    store::until("both have it", || receiver.arrivals().len() == 1 && other.arrivals().len() == 1);
    let pause = because("it is being moved");
    let first = act(&service, "crm", "pause", &pause);
    assert_eq!((first.status, first.replayed), (201, false), "{}", first.body);
    let told = said(&first);
    for (member, value) in [
        ("transaction_id", pause["transaction_id"].clone()),
        ("kind", json!("destination_pause")),
        ("outcome", json!("accepted")),
        ("destination", json!("crm")),
        ("reason", json!("it is being moved")),
    ] {
        assert_eq!(told[member], value, "{told}");
    }
    (0..5).for_each(|_| deposit(&service, "alice"));
    store::until("the other has all", || other.arrivals().len() == 6);
    assert_eq!(receiver.arrivals().len(), 1);
    let shown = destination(&service, "crm");
    assert_eq!(
        (&shown["state"], &shown["reason"], &shown["lag_events"]),
        (&json!("paused"), &json!("operator"), &json!(5))
    );
    let refused = act(&service, "crm", "pause", &because("again"));
    let told = said(&refused);
    assert_eq!((refused.status, &told["code"]), (409, &json!("destination_state")));
    assert_eq!(
        (&told["state"], &told["reason"], &told["since"]),
        (&json!("paused"), &json!("operator"), &shown["since"])
    );
    assert!(told["by"].is_string() && told["revision"] == shown["revision"], "{told}");
    assert_eq!(service.stop(), Some(0));

    let mut service = home.serve("data", &[]).unwrap();
    let again = act(&service, "crm", "pause", &pause);
    assert_eq!(again, Reply { replayed: true, ..first.clone() });
    let path = format!("/v1/transactions/{}", pause["transaction_id"].as_str().unwrap());
    let history = read(&service, &path);
    assert_eq!(history["first_answer"]["body"], said(&first));
    assert_eq!((&history["destination"], &history["kind"]), (&json!("crm"), &json!("destination_pause")));
    let mut changed = pause.clone();
    changed["reason"] = json!("another");
    for (name, what, field) in
        [("crm", "pause", "reason"), ("erp", "pause", "destination"), ("crm", "resume", "operation")]
    {
        let reused = act(&service, name, what, if field == "reason" { &changed } else { &pause });
        let told = said(&reused);
        let fields: Vec<&Value> =
            told["differences"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
        assert!(reused.status == 422 && fields.contains(&&json!(field)), "{}", reused.body);
    }
    deposit(&service, "alice");
    store::until("the other has all", || other.arrivals().len() == 7);
    assert_eq!(receiver.arrivals().len(), 1, "a restart does not end a pause");
    let resumed = done(&service, "crm", "resume", &because("it was moved"));
    assert_eq!(
        (&resumed["kind"], &resumed["reason"]),
        (&json!("destination_resume"), &json!("it was moved"))
    );
    assert!(resumed.get("after").is_none() && resumed.get("passed_over").is_none(), "{resumed}");
    store::until("it has all", || receiver.arrivals().len() == 7);
    receiver.assert_in_order();
    assert_eq!(receiver.taken().len(), 7);

    // At most once: a claim is refused while it is paused.
    done(&service, "erp", "pause", &because("for a while"));
    deposit(&service, "alice");
    store::until("the first has it", || receiver.arrivals().len() == 8);
    assert_eq!(other.arrivals().len(), 7);
    done(&service, "erp", "resume", &because("now"));
    store::until("the other has it", || other.arrivals().len() == 8);
    let refused = act(&service, "erp", "resume", &because("once more"));
    assert_eq!((refused.status, &said(&refused)["state"]), (409, &json!("serving")), "{}", refused.body);
    let unknown = act(&service, "nobody", "pause", &because("why"));
    assert_eq!((unknown.status, &said(&unknown)["code"]), (404, &json!("destination_not_found")));
    assert_eq!(service.stop(), Some(0));
    verify(Path::new(&home.path("data")));
}

/// Guards against: a message that was passed over and is sent all the same, also behind one that was parked; a count that is
/// another one when it is asked again; and a position that goes back.
#[test]
fn what_a_resumption_passes_over_is_never_sent() {
    if store::is_eventstoredb() {
        return;
    }
    let takes = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&takes);
    let receiver = Receiver::start(move |arrival, _| {
        let is_poison = arrival.subject == "account-alice" && arrival.revision == 1;
        if is_poison && !is_open.load(Ordering::SeqCst) { Does::Answers(422, None) } else { Does::Takes }
    });
    let retry =
        format!("retry = [{}]\n[destinations.crm.select]\naccounts = ['alice']", ["'1s'"; 32].join(","));
    let home = Home::new(&one("crm", &receiver, "at_least_once", &retry));
    let mut service = home.serve("data", &[]).unwrap();
    open(&service, "alice");
    open(&service, "bob");
    (0..2).for_each(|_| deposit(&service, "alice"));
    let parked = || read(&service, "/v1/destinations/crm/parked")["items"][0].clone();
    store::until("one is parked, and one waits", || parked()["waiting_behind"] == 1);
    done(&service, "crm", "pause", &because("too much"));
    (0..3).for_each(|_| deposit(&service, "alice"));
    deposit(&service, "bob");
    let mut resume = because("only what comes");
    for (after, field) in
        [(json!(1), "after"), (json!(1_000_000), "after"), (json!("end"), "after"), (json!(-1), "after")]
    {
        resume["after"] = after;
        let refused = act(&service, "crm", "resume", &resume);
        assert_eq!(
            (refused.status, &said(&refused)["errors"][0]["field"]),
            (400, &json!(field)),
            "{}",
            refused.body
        );
    }
    // One is passed over by position, the rest by the end of the journal: the ID of what was refused is free.
    let through = destination(&service, "crm")["through"].as_u64().unwrap();
    let first_behind =
        read(&service, "/v1/accounts/alice/entries?order=oldest")["items"][3]["position"].clone();
    assert!(first_behind.as_u64().unwrap() > through);
    resume["after"] = first_behind;
    assert_eq!(done(&service, "crm", "resume", &resume)["passed_over"], 1);
    done(&service, "crm", "pause", &because("still too much"));
    let mut to_head = because("only what comes");
    to_head["after"] = json!("head");
    let reply = act(&service, "crm", "resume", &to_head);
    let told = said(&reply);
    assert_eq!((reply.status, &told["after"]), (201, &json!("head")), "{told}");
    // It may have been sent between the two acts what the first of them left.
    let sent_between = receiver.taken().len() - 1;
    assert_eq!(told["passed_over"].as_u64().unwrap() as usize + sent_between, 2, "{told}");
    deposit(&service, "alice");
    let again = act(&service, "crm", "resume", &to_head);
    assert_eq!(again, Reply { replayed: true, ..reply });
    takes.store(true, Ordering::SeqCst);
    let revisions = || {
        let mut taken: Vec<u64> =
            receiver.arrivals().iter().filter(|it| it.is_taken).map(|it| it.revision).collect();
        taken.sort_unstable();
        taken
    };
    store::until("the last one is there", || revisions().contains(&6) && revisions().contains(&2));
    let expected: Vec<u64> = if sent_between == 0 { vec![0, 1, 2, 6] } else { revisions() };
    assert_eq!(revisions(), expected);
    assert!(!revisions().contains(&3), "what was passed over is sent: {:?}", revisions());
    store::until("nothing is left", || {
        let shown = destination(&service, "crm");
        shown["parked"] == 0 && shown["lag_events"] == 0
    });
    assert_eq!(service.stop(), Some(0));
    verify(Path::new(&home.path("data")));
}

/// Guards against: a copy that stays silent though it was resumed, or whose transfers go on by that; a copy of the copy that
/// sends; and an original that is disturbed.
#[test]
fn a_copy_goes_on_when_it_is_resumed_and_a_copy_of_it_does_not() {
    if store::is_eventstoredb() {
        return;
    }
    let [receiver, other] = [(); 2].map(|()| Receiver::start(|_, _| Does::Takes));
    let settings = one("crm", &receiver, "at_least_once", "") + &one("erp", &other, "at_least_once", "");
    let home = Home::new(&settings);
    let mut original = home.serve("data", &[]).unwrap();
    open(&original, "alice");
    store::until("both have it", || receiver.arrivals().len() == 1 && other.arrivals().len() == 1);
    assert_eq!(original.stop(), Some(0));
    copied(&home, "data", "copy");

    let mut copy = home.serve("copy", &[]).unwrap();
    deposit(&copy, "alice");
    assert_eq!(destination(&copy, "crm")["state"], "held");
    let resume = because("the original is gone");
    let first = act(&copy, "crm", "resume", &resume);
    assert_eq!(first.status, 201, "{}", first.body);
    store::until("the copy sends", || receiver.arrivals().len() == 2);
    assert_eq!(receiver.arrivals()[1].term, destination(&copy, "crm")["term"].as_u64().unwrap());
    assert_eq!(
        (&destination(&copy, "crm")["state"], &destination(&copy, "erp")["state"]),
        (&json!("serving"), &json!("held"))
    );
    let is_paused = |service: &Process| read(service, "/v1/transfers")["paused"] == true;
    assert!(is_paused(&copy), "transfers are another matter");
    assert_eq!(copy.stop(), Some(0));

    let mut copy = home.serve("copy", &[]).unwrap();
    deposit(&copy, "alice");
    store::until("the copy goes on", || receiver.arrivals().len() == 3);
    assert!(is_paused(&copy) && destination(&copy, "erp")["state"] == "held");
    assert_eq!(act(&copy, "crm", "resume", &resume), Reply { replayed: true, ..first.clone() });
    assert_eq!(copy.stop(), Some(0));
    copied(&home, "copy", "second");

    // A copy of the copy is held, whatever is asked again there under the ID of then.
    let mut second = home.serve("second", &[]).unwrap();
    deposit(&second, "alice");
    assert_eq!(act(&second, "crm", "resume", &resume), Reply { replayed: true, ..first });
    assert_eq!(destination(&second, "crm")["state"], "held");
    assert_eq!(second.stop(), Some(0));

    let mut original = home.serve("data", &[]).unwrap();
    deposit(&original, "alice");
    store::until("the original goes on", || other.arrivals().len() == 2 && receiver.arrivals().len() == 4);
    assert!(!is_paused(&original));
    assert_eq!(original.stop(), Some(0));
    ["data", "copy", "second"].iter().for_each(|folder| verify(Path::new(&home.path(folder))));

    // Transfers that are resumed later take nothing from it.
    let mut copy = home.serve("copy", &["--resume-transfers"]).unwrap();
    deposit(&copy, "alice");
    store::until("the copy goes on", || receiver.arrivals().len() == 5);
    assert!(!is_paused(&copy) && destination(&copy, "erp")["state"] == "held");
    assert_eq!(copy.stop(), Some(0));
}

/// Guards against: a service with `--pause-messages` that sends what was not resumed in it.
#[test]
fn with_everything_paused_at_the_start_each_goes_on_when_it_is_resumed_in_this_process() {
    if store::is_eventstoredb() {
        return;
    }
    let [receiver, other] = [(); 2].map(|()| Receiver::start(|_, _| Does::Takes));
    let settings = one("crm", &receiver, "at_least_once", "") + &one("erp", &other, "at_least_once", "");
    let home = Home::new(&settings);
    let mut service = home.serve("data", &["--pause-messages"]).unwrap();
    open(&service, "alice");
    let resume = because("it is the right one");
    done(&service, "crm", "resume", &resume);
    store::until("it has it", || receiver.arrivals().len() == 1);
    assert_eq!((&destination(&service, "erp")["state"], other.arrivals().len()), (&json!("held"), 0));
    assert_eq!(service.stop(), Some(0));
    let mut service = home.serve("data", &["--pause-messages"]).unwrap();
    assert!(act(&service, "crm", "resume", &resume).replayed);
    assert_eq!(destination(&service, "crm")["state"], "held", "an ID of before does nothing now");
    assert_eq!(service.stop(), Some(0));
    let mut service = home.serve("data", &[]).unwrap();
    deposit(&service, "alice");
    store::until("both have all", || receiver.arrivals().len() == 2 && other.arrivals().len() == 2);
    assert_eq!(service.stop(), Some(0));
    verify(Path::new(&home.path("data")));
}

/// Guards against: a command that says it was done though it was refused, or does an act twice.
#[test]
fn the_command_line_shows_destinations_and_acts_on_them() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|_, _| Does::Takes);
    let home = Home::new(&one("crm", &receiver, "at_least_once", ""));
    let mut service = home.serve("data", &[]).unwrap();
    let url = format!("http://{}", service.address);
    let run = |arguments: &[&str]| bookonce(&[&["destinations"], arguments, &["--url", &url]].concat());
    open(&service, "alice");
    store::until("it has it", || destination(&service, "crm")["lag_events"] == 0);
    let (code, said, _) = run(&["list"]);
    assert_eq!((code, said.as_str()), (0, "crm serving lag=0 parked=0 dead=0\n"));
    let id = id();
    let pause = ["pause", "crm", "--reason", "it is moved", "--id", &id];
    let (code, first, complaint) = run(&pause);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(run(&pause), (0, first, String::new()), "the same act is done once");
    let (code, said, _) = run(&["show", "crm"]);
    let shown: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &shown["state"], &shown["reason"]), (0, &json!("paused"), &json!("operator")));
    let (code, _, complaint) = run(&["pause", "crm", "--reason", "again"]);
    assert!(code == 1 && complaint.contains("409 destination_state"), "{code} {complaint}");
    assert_eq!(run(&["resume", "crm", "--reason", "moved", "--after", "head"]).0, 0);
    assert_eq!(run(&["show", "nobody"]).0, 1);
    assert_eq!(run(&["resume", "crm", "--reason", "moved", "--after", "end"]).0, 2);
    assert_eq!(service.stop(), Some(0));
}
