//! Signatures are compared with those of another program: the package `standardwebhooks` of PyPI.

use std::process::Command;

use bookonce::domain::time::{Timestamp, system_clock};
use bookonce::signature::{NotGenuine, Secret, sign, verify};

use crate::support::process::skip;

/// It checks what it is given, and prints a signature of its own over the same.
const PROGRAM: &str = "
import datetime, sys
from standardwebhooks import Webhook
secret, id, at, body, signature = sys.argv[1:]
headers = {'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature}
Webhook(secret).verify(body, headers)
print(Webhook(secret).sign(id, datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc), body))
";

fn python(arguments: &[&str]) -> std::io::Result<std::process::Output> {
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python");
    Command::new("python3").args(["-c", PROGRAM]).args(arguments).env("PYTHONPATH", packages).output()
}

/// Guards against: a signature that only this program takes for right.
#[test]
fn another_program_takes_these_signatures_and_these_checks_take_its() {
    let is_there = Command::new("python3")
        .args(["-c", "import standardwebhooks"])
        .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/target/python"))
        .output();
    if !is_there.is_ok_and(|out| out.status.success()) {
        let test = "another_program_takes_these_signatures_and_these_checks_take_its";
        return skip(test, "no package standardwebhooks for python3");
    }
    let secrets =
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_//////////////////////////////////////////8="];
    let now: Timestamp = system_clock()();
    let at = now.micros() / 1_000_000;
    let known: Vec<Secret> = secrets.iter().map(|secret| Secret::parse(secret).unwrap()).collect();
    for body in ["{}", "{\"amount\":\"40.00\"}", "{\"note\":\"Zoë \u{1f4b6}\"}"] {
        let signed = sign(&known, "id-1.crm", at, body.as_bytes());
        for secret in secrets {
            let out = python(&[secret, "id-1.crm", &at.to_string(), body, &signed]).unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let its = String::from_utf8(out.stdout).unwrap();
            let stamp = at.to_string();
            let checked = |body: &str| {
                let header = |name: &str| match name {
                    "webhook-id" => Some("id-1.crm"),
                    "webhook-timestamp" => Some(stamp.as_str()),
                    _ => Some(its.trim()),
                };
                verify(header, body.as_bytes(), &known, now)
            };
            assert_eq!(checked(body), Ok(()));
            assert_eq!(checked("other"), Err(NotGenuine::WrongSignature));
        }
        let wrong = python(&[secrets[0], "id-2.crm", &at.to_string(), body, &signed]).unwrap();
        assert!(!wrong.status.success(), "it takes anything");
    }
}
