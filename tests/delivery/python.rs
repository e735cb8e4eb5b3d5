//! The receiver of the documents, in Python, takes what the real program sends, while both are killed and started again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;

use crate::program::{Home, deposit, open};
use crate::support::process::{send_with, skip};
use crate::support::store;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A `Program` is the receiver as a process. It is killed when it is dropped.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(listen: &str, database: &str, secrets: &[&str]) -> Option<Self> {
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/receive.py"))
            .args([listen, database])
            .args(secrets)
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Some(Self { child, address })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn effects(database: &str) -> u64 {
    let database = Connection::open(database).unwrap();
    database.query_one("SELECT count(*) FROM effects", [], |row| row.get(0)).unwrap()
}

/// Seen failing: with an effect at each arrival.
#[test]
fn the_documents_receiver_has_each_effect_once_though_both_sides_are_killed() {
    if store::is_eventstoredb() {
        return;
    }
    let home = Home::new("");
    let (database, secret, old) = (home.path("effects.db"), home.path("secret"), home.path("old"));
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::write(&old, OLD_SECRET).unwrap();
    // The service has the new secret alone, and the receiver both.
    let Some(mut receiver) = Program::start("127.0.0.1:0", &database, &[&old, &secret]) else {
        return skip("the_documents_receiver_has_each_effect_once", "no python3 on this machine");
    };
    let address = receiver.address.clone();
    let settings = format!(
        "[destinations.crm]\nkind = 'webhook'\nurl = 'http://{address}/'\nallow_http = true\n\
         allow_private = ['127.0.0.1']\nsecret_files = ['{secret}']\nguarantee = 'exactly_once_effect'\nfrom = 'start'\n"
    );
    std::fs::write(home.path("bookonce.toml"), settings).unwrap();
    for round in 0..4 {
        let mut service = home.serve("data", &[]).unwrap();
        if round == 0 {
            (0..4).for_each(|n| open(&service, &format!("a-{n}")));
        }
        (0..20).for_each(|n| deposit(&service, &format!("a-{}", n % 4)));
        if round % 2 == 1 {
            drop(receiver);
            receiver = Program::start(&address, &database, &[&old, &secret]).unwrap();
        }
        let before = effects(&database);
        store::until("some have come", || effects(&database) > before || effects(&database) == 84);
        service.kill();
    }
    let mut service = home.serve("data", &[]).unwrap();
    store::until("all have come", || effects(&database) == 84);
    assert_eq!(service.stop(), Some(0));
    let opened = Connection::open(&database).unwrap();
    let count = |sql: &str| -> u64 { opened.query_one(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!((effects(&database), count("SELECT count(*) FROM inbox_key")), (84, 84));
    assert_eq!(count("SELECT count(*) FROM effects WHERE amount = '1.00'"), 80);

    let forged = format!("webhook-id: x\r\nwebhook-timestamp: {}\r\nwebhook-signature: v1,AAAA\r\n", 1);
    let reply = send_with(address.parse().unwrap(), "POST", "/", &forged, "{}").unwrap();
    assert_eq!(reply.status, 401);
}
