//! What goes over the wire: the bytes of a message, its signature, and the addresses to which nothing is sent.

use std::net::IpAddr;

use bookonce::delivery::addresses::{Allowed, is_public};
use bookonce::delivery::message::Message;
use bookonce::delivery::target::{Target, TargetError};
use bookonce::domain::delivery::name::DestinationName;
use bookonce::signature::{Secret, sign};
use uuid::Uuid;

const JOURNAL: Uuid = Uuid::from_u128(0x0193_5e8a_7c1d_7a30_8f7e_3f6b_2a1c_0d4e);

pub fn message(line: &[u8]) -> Message {
    Message::new(line, JOURNAL, &DestinationName::parse("crm").unwrap()).unwrap()
}

/// Returns the lines of a history, as they stand in a journal. What is no event in it is left out.
pub fn lines(history: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/fixtures/histories/{history}.ndjson", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(path).unwrap();
    text.split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{\"position\""))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Guards against: a byte that changes in a message which some receiver has stored already.
#[test]
fn a_message_is_an_envelope_around_the_line_byte_for_byte() {
    for history in ["every-event", "transfers", "payouts"] {
        for line in lines(history) {
            let message = message(&line);
            let envelope: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
            let event: serde_json::Value = serde_json::from_slice(&line).unwrap();
            assert_eq!(message.position, event["position"].as_u64().unwrap());
            assert_eq!(message.id, format!("{}.crm", event["event_id"].as_str().unwrap()));
            let (_, partition) = event["stream"].as_str().unwrap().split_once('-').unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let mut expected = format!(
                "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"/bookonce/{JOURNAL}\",\"type\":\"bookonce.{}\",\
                 \"subject\":\"{}\",\"time\":\"{}\",\"datacontenttype\":\"application/json\",\"sequence\":\"{:020}\",\
                 \"partitionkey\":\"{partition}\",\"revision\":\"{}\",\"transactionid\":\"{}\",\"correlationid\":{}",
                message.id,
                text(&event["type"]),
                text(&event["stream"]),
                text(&event["recorded_at"]),
                message.position,
                event["revision"],
                text(&event["transaction_id"]),
                event["metadata"]["$correlationId"],
            );
            if let Some(causation) = event["metadata"].get("$causationId") {
                expected += &format!(",\"causationid\":{causation}");
            }
            let mut expected = (expected + ",\"data\":").into_bytes();
            expected.extend_from_slice(&line);
            expected.push(b'}');
            assert_eq!(String::from_utf8_lossy(&message.body), String::from_utf8_lossy(&expected));
            assert_eq!(envelope["data"], event);
        }
    }
}

#[test]
fn what_is_no_line_of_the_journal_makes_no_message() {
    let name = DestinationName::parse("crm").unwrap();
    for line in [&b""[..], b"{}", b"{\"position\":1}"] {
        assert!(Message::new(line, JOURNAL, &name).is_err());
    }
}

/// The first secret and its signature are the published example of Standard Webhooks; the second was made with Python's hmac.
#[test]
fn a_request_is_signed_with_each_secret_in_their_order() {
    let published = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let other = Secret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    assert_eq!(format!("{other:?}"), "Secret");
    let signed =
        sign(&[published, other], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
    let expected =
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI=";
    assert_eq!(signed, expected);
    for text in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQ==", "whsec_%%%%"] {
        assert!(Secret::parse(text).is_none(), "{text}");
    }
}

#[test]
fn an_address_is_public_or_it_is_not() {
    for address in
        ["93.184.215.14", "1.1.1.1", "100.63.255.255", "100.128.0.0", "2606:2800:220:1::1", "2001:4860::8888"]
    {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:1.1.1.1",
        "::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
}

fn allowed(texts: &[&str]) -> Allowed {
    Allowed::parse(&texts.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

/// Guards against: a URL in another spelling that reaches what only this machine can reach.
#[test]
fn a_hostile_url_is_refused_in_the_settings() {
    let blocked = [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://0/",
        "https://0.0.0.0:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://10.1/",
        "https://192.168.0.1/",
        "https://172.16.0.1/",
        "https://100.64.0.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[ff02::1]/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
    ];
    for url in blocked {
        let refused = Target::parse(url, true, Allowed::default());
        assert!(matches!(refused, Err(TargetError::Blocked(_))), "{url}: {refused:?}");
    }
    for (url, error) in [
        ("", TargetError::NoUrl),
        ("crm", TargetError::NoUrl),
        ("https://", TargetError::NoUrl),
        ("https://[::1", TargetError::NoUrl),
        ("https://256.0.0.1/", TargetError::NoUrl),
        ("http://crm.example/", TargetError::Scheme),
        ("file:///etc/passwd", TargetError::Scheme),
        ("ftp://crm.example/", TargetError::Scheme),
        ("gopher://127.0.0.1/", TargetError::Scheme),
        ("unix:/run/docker.sock", TargetError::Scheme),
        ("https://user@crm.example/", TargetError::Secret),
        ("https://user:secret@crm.example/", TargetError::Secret),
        ("https://:secret@crm.example/", TargetError::Secret),
        ("https://crm.example/#here", TargetError::Secret),
    ] {
        assert_eq!(Target::parse(url, false, Allowed::default()).unwrap_err(), error, "{url}");
    }
    for url in ["https://crm.example/hooks?a=b", "https://93.184.215.14:8443/", "HTTPS://CRM.example"] {
        assert!(Target::parse(url, false, Allowed::default()).is_ok(), "{url}");
    }
}

#[test]
fn what_is_blocked_is_allowed_by_host_address_or_network() {
    let reaches = |allowed: &Allowed, host: &str, address: &str| {
        allowed.may_reach(host, address.parse::<IpAddr>().unwrap())
    };
    let named = allowed(&["CRM.local", "10.1.2.3", "192.168.0.0/16", "fd00::/8"]);
    for (host, address) in [
        ("crm.local", "127.0.0.1"),
        ("x", "10.1.2.3"),
        ("x", "192.168.7.7"),
        ("x", "fd12::1"),
        ("x", "1.1.1.1"),
    ] {
        assert!(reaches(&named, host, address), "{host} {address}");
    }
    for (host, address) in
        [("x.crm.local", "127.0.0.1"), ("x", "10.1.2.4"), ("x", "172.16.0.1"), ("x", "fe80::1")]
    {
        assert!(!reaches(&named, host, address), "{host} {address}");
    }
    assert!(
        reaches(&allowed(&["0.0.0.0/0"]), "x", "10.0.0.1") && !reaches(&allowed(&["0.0.0.0/0"]), "x", "::1")
    );
    for wrong in ["crm.local:80", "10.0.0.0/33", "10.0.0.1:80", "", "a/b", "*", "::/129"] {
        assert_eq!(Allowed::parse(&[wrong.to_owned()]), Err(wrong.to_owned()));
    }
}
