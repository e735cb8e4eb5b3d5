//! A webhook over real sockets, with receivers that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bookonce::delivery::addresses::Allowed;
use bookonce::delivery::message::Message;
use bookonce::delivery::target::Target;
use bookonce::delivery::webhook::{Attempt, Webhook};
use bookonce::domain::delivery::failure::{Attempted, Blame, Failure, FailureClass};
use bookonce::domain::time::Timestamp;
use bookonce::signature::{Secret, sign};

use crate::wire::{lines, message};

/// This is long enough for every answer that comes.
const LONG: Duration = Duration::from_secs(30);
/// After this time a receiver that never answers is given up.
const SHORT: Duration = Duration::from_millis(300);

const NOW: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);

/// Starts a receiver that does this with each connection, once the request has been read.
pub fn receiver(does: impl Fn(TcpStream, String) + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            counted.fetch_add(1, Ordering::SeqCst);
            let request = request(&socket);
            does(socket, request);
        }
    });
    (address, count)
}

fn request(socket: &TcpStream) -> String {
    let mut reader = BufReader::new(socket);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        head += &std::mem::take(&mut line);
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap_or_default();
    format!("{head}\n{}", String::from_utf8_lossy(&body))
}

fn webhook(url: &str, allow: &[&str], patience: Duration, finds: &'static str) -> Webhook {
    let allow: Vec<String> = allow.iter().map(ToString::to_string).collect();
    let target = Target::parse(url, true, Allowed::parse(&allow).unwrap()).unwrap();
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let look_up = move |_: &str| Ok(finds.split(',').map(|it| it.parse::<IpAddr>().unwrap()).collect());
    Webhook::with_look_up(target, vec![secret], patience, look_up).unwrap()
}

fn first() -> Message {
    message(&lines("every-event")[0])
}

fn send(webhook: &Webhook, attempt: Attempt) -> Attempted {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(webhook.send(&first(), attempt))
}

const ATTEMPT: Attempt = Attempt { number: 1, term: 7, is_late: false, at: NOW };

/// Sends to a receiver that says this, and returns what came of it.
fn told(says: &'static [u8], patience: Duration) -> Attempted {
    let (address, _) = receiver(move |mut socket, _| socket.write_all(says).unwrap_or_default());
    send(&webhook(&format!("http://{address}/"), &["127.0.0.0/8"], patience, "127.0.0.1"), ATTEMPT)
}

fn blamed(came: Attempted) -> (Blame, Failure, Option<u64>) {
    match came {
        Attempted::Failed { blame, failure, retry_after_seconds } => (blame, failure, retry_after_seconds),
        Attempted::Delivered => panic!("it was delivered"),
    }
}

#[test]
fn a_message_arrives_as_it_is_with_what_differs_beside_it() {
    let (hears, heard) = mpsc::channel();
    let (address, _) = receiver(move |mut socket, request| {
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        hears.send(request).unwrap();
    });
    let webhook = webhook(&format!("http://{address}/hooks?a=b"), &["127.0.0.1"], LONG, "127.0.0.1");
    assert_eq!(send(&webhook, Attempt { number: 3, is_late: true, ..ATTEMPT }), Attempted::Delivered);
    let request = heard.recv().unwrap();
    let (head, body) = request.split_once("\n\n").or_else(|| request.split_once("\r\n\n")).unwrap();
    let message = first();
    assert_eq!(body.as_bytes(), message.body);
    assert!(head.starts_with("POST /hooks?a=b HTTP/1.1\r\n"), "{head}");
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    for header in [
        "content-type: application/cloudevents+json; charset=utf-8".to_owned(),
        format!("webhook-id: {}", message.id),
        "webhook-timestamp: 1764000000".to_owned(),
        format!("webhook-signature: {}", sign(&[secret], &message.id, 1_764_000_000, &message.body)),
        format!("idempotency-key: \"{}\"", message.id),
        "bookonce-attempt: 3".to_owned(),
        "bookonce-term: 7".to_owned(),
        format!("bookonce-position: {}", message.position),
        "bookonce-late: true".to_owned(),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} in {head}");
    }
}

/// Guards against: an answer that is taken for what it is not, or that is waited for without an end.
#[test]
fn a_receiver_that_does_not_answer_as_it_should_leaves_the_attempt_in_doubt() {
    for (says, patience) in [
        (&b""[..], LONG),
        (b"hello\r\n\r\n", LONG),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", LONG),
        (b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", LONG),
        (b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n", LONG),
    ] {
        let (blame, failure, _) = blamed(told(says, patience));
        assert_eq!(blame, Blame::Doubt, "{}: {failure:?}", String::from_utf8_lossy(says));
    }
    for drips in [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], b"H", b""] {
        let (address, _) = receiver(move |mut socket, _| {
            while socket.write_all(drips).is_ok() && socket.read(&mut [0; 1]).is_err() {
                std::thread::yield_now();
            }
        });
        let webhook = webhook(&format!("http://{address}/"), &["127.0.0.1"], SHORT, "127.0.0.1");
        let (blame, failure, _) = blamed(send(&webhook, ATTEMPT));
        assert_eq!((blame, failure.class), (Blame::Doubt, FailureClass::NoAnswer), "{drips:?}");
    }
}

#[test]
fn a_refusal_keeps_what_the_receiver_says_and_how_long_it_wants_to_be_left_alone() {
    let says = b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 14\r\n\r\nno such\r\n card";
    let (blame, failure, _) = blamed(told(says, LONG));
    assert_eq!((blame, failure), (Blame::Message, Failure::of_status(422, "no such card")));
    for (header, seconds) in [
        ("7", Some(7)),
        ("99999999999", Some(99_999_999_999)),
        ("99999999999999999999999", Some(u64::MAX)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Mon, 24 Nov 2025 16:00:07 GMT", Some(7)),
        ("soon", None),
        ("-1", None),
    ] {
        let says = format!("HTTP/1.1 429 Slow Down\r\nretry-after: {header}\r\ncontent-length: 0\r\n\r\n");
        let (blame, _, retry_after) = blamed(told(says.leak().as_bytes(), LONG));
        assert_eq!(blame, Blame::Destination { is_unsent: false });
        assert_eq!(retry_after, seconds, "{header}");
    }
}

/// Guards against: an answer of ten gigabytes that is read to its end.
#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let (writes, written) = mpsc::channel();
    let (address, _) = receiver(move |mut socket, _| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
        let mut sum = u64::from(socket.write_all(head).is_err());
        while socket.write_all(&[b'a'; 65_536]).is_ok() {
            sum += 65_536;
        }
        writes.send(sum).unwrap();
    });
    let webhook = webhook(&format!("http://{address}/"), &["127.0.0.1"], LONG, "127.0.0.1");
    assert_eq!(send(&webhook, ATTEMPT), Attempted::Delivered);
    drop(webhook);
    let sum = written.recv().unwrap();
    assert!(sum < 100_000_000, "{sum} bytes went into sockets");
}

/// Guards against: a message that follows a redirect to wherever the receiver says.
#[test]
fn a_redirect_is_not_followed() {
    let (inside, reached) = receiver(|_, _| {});
    let (address, _) = receiver(move |mut socket, _| {
        let says = format!("HTTP/1.1 307 There\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n");
        socket.write_all(says.as_bytes()).unwrap();
    });
    let webhook = webhook(&format!("http://{address}/"), &["127.0.0.1"], LONG, "127.0.0.1");
    let (blame, failure, _) = blamed(send(&webhook, ATTEMPT));
    assert_eq!((blame, failure.class), (Blame::Destination { is_unsent: false }, FailureClass::HttpStatus));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

/// Guards against: a name that has a public and a private address, or is private only when it is looked up again.
#[test]
fn no_packet_leaves_for_a_blocked_address() {
    let (address, reached) = receiver(|_, _| {});
    let url = format!("http://crm.example:{}/", address.port());
    for finds in ["127.0.0.1", "93.184.215.14,127.0.0.1", "127.0.0.1,93.184.215.14", "::ffff:127.0.0.1"] {
        let (blame, failure, _) = blamed(send(&webhook(&url, &["127.0.0.2"], LONG, finds), ATTEMPT));
        assert_eq!(blame, Blame::Destination { is_unsent: true }, "{finds}");
        assert_eq!(failure.class, FailureClass::BlockedAddress, "{finds}: {failure:?}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
    let (address, _) = receiver(|mut socket, _| {
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let url = format!("http://crm.example:{}/", address.port());
    assert_eq!(send(&webhook(&url, &["crm.example"], LONG, "127.0.0.1"), ATTEMPT), Attempted::Delivered);
}

/// Guards against: a message at most once that is sent again though it may have arrived, or is dead though it never left.
#[test]
fn where_no_connection_is_made_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (plain, _) =
        receiver(|mut socket, _| socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap_or_default());
    for url in [format!("http://{closed}/"), format!("https://{plain}/")] {
        let (blame, failure, _) = blamed(send(&webhook(&url, &["127.0.0.1"], LONG, "127.0.0.1"), ATTEMPT));
        assert_eq!(blame, Blame::Destination { is_unsent: true }, "{url}: {failure:?}");
        assert_eq!(failure.class, FailureClass::NoAnswer, "{url}");
    }
}
