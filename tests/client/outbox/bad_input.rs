//! These tests give the program an outbox that can't be used, and orders that must not be carried out. Each is told in one
//! sentence, nothing is sent, and nothing is lost.

use std::path::PathBuf;

use bookonce::client::outbox::lock::SenderLock;

use super::*;
use crate::fake::Fake;
use crate::support::process::skip;

async fn faked() -> (Fake, Mailbox) {
    let (fake, address) = Fake::start().await;
    fake.0.lock().unwrap().accounts.insert("alice".into(), 10_000);
    (fake, Mailbox::new(address))
}

fn came(fake: &Fake) -> usize {
    fake.0.lock().unwrap().came.len()
}

impl Said {
    /// It said this in one line, with code 1.
    #[track_caller]
    fn refuses(self, says: &str) -> Self {
        let said = self.ends(1, says);
        assert!(said.error.lines().count() == 1 && said.error.starts_with("bookonce: "), "{said:?}");
        said
    }
}

/// Every way to use an outbox that reads it.
const USES: [&[&str]; 3] = [&["outbox", "run"], &["outbox", "list"], &["send", "deposit", "alice", "1.00"]];

/// Seen failing without the digest of what is sent: another amount would have been booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_told_and_nothing_is_sent() {
    let (fake, mailbox) = faked().await;
    mailbox.send(&["withdraw", "alice", "40.00", "--wait", "0s"]).await.ends(3, "");
    let whole = std::fs::read(mailbox.file()).unwrap();
    let amount = whole.windows(17).position(|at| at == br#"{"amount":"40.00""#.as_slice()).unwrap();
    let mut other_amount = whole.clone();
    other_amount[amount + 11] = b'9';
    let mut torn_page = whole.clone();
    torn_page[4096..8192].fill(0x5a);
    for (damage, bytes) in [
        ("another amount in a row", other_amount),
        ("a page of nonsense", torn_page),
        ("half of it is gone", whole[..whole.len() / 2].to_vec()),
        ("garbage", b"garbage".repeat(999)),
    ] {
        std::fs::write(mailbox.file(), &bytes).unwrap();
        for used in &USES[..2] {
            let says = if damage == "garbage" { "is not an outbox" } else { "is damaged" };
            let said = mailbox.run(used, "").await.refuses(says);
            assert!(said.out.is_empty(), "{damage}: {said:?}");
        }
        assert_eq!(std::fs::read(mailbox.file()).unwrap(), bytes, "{damage}: the file is left as it is");
    }
    assert_eq!(came(&fake), 0);
    std::fs::write(mailbox.file(), whole).unwrap();
    mailbox.outbox(&["run"]).await.ends(0, "confirmed");
}

/// Seen failing while the file was opened before it was looked at: a ledger's journal was changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_something_else_is_left_as_it_is() {
    let (service, folder) = service();
    let mailbox = Mailbox::new(service.address);
    // It is killed, so that its last commits are in the file beside the journal.
    drop(service);
    let parts = ["", "-wal"].map(|end| {
        let bytes = std::fs::read(folder.path().join(format!("journal.db{end}"))).unwrap();
        let copy = mailbox.folder().join(format!("atm.outbox{end}"));
        std::fs::write(&copy, &bytes).unwrap();
        (copy, bytes)
    });
    assert!(!parts[1].1.is_empty());
    for used in USES {
        mailbox.run(used, "").await.refuses("is not an outbox");
    }
    for (copy, bytes) in parts {
        assert!(std::fs::read(&copy).unwrap() == bytes, "{} was changed", copy.display());
    }
    assert_eq!(std::fs::read_dir(mailbox.folder()).unwrap().count(), 2, "nothing was made beside it");
}

struct Small(PathBuf);

impl Small {
    /// Mounts a disk of this size.
    fn mount(at: PathBuf, size: &str) -> Result<Self, String> {
        std::fs::create_dir(&at).map_err(|error| error.to_string())?;
        Self::with(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", at.to_str().unwrap()])?;
        Ok(Self(at))
    }

    fn with(arguments: &[&str]) -> Result<(), String> {
        let out = Command::new("mount").args(arguments).output().map_err(|error| error.to_string())?;
        if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into()) }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _not_mounted = Command::new("umount").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_one_that_can_only_be_read_are_told_and_nothing_is_sent() {
    let (fake, mailbox) = faked().await;
    let disk = match Small::mount(mailbox.folder().join("small"), "256k") {
        Ok(disk) => disk,
        Err(why) => return skip("full disk of an outbox", &why),
    };
    let file = disk.0.join("atm.outbox");
    let file = file.to_str().unwrap();
    let run = |words: &[&str], more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(words).args(more).args(["--outbox", file]).env("BOOKONCE_URL", &mailbox.url);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code().unwrap(), out: text(&output.stdout), error: text(&output.stderr) }
    };
    let deposit = ["send", "deposit", "alice", "1.00"];
    run(&deposit, &["--wait", "0s"]).ends(3, "stored");
    let filler = disk.0.join("filler");
    let full = std::fs::write(&filler, vec![0; 256 << 10]);
    assert!(full.is_err(), "the disk is full");
    let said = run(&deposit, &[]).refuses("nothing was stored or sent: the disk of the outbox");
    assert!(said.out.is_empty(), "no ID of what is not stored: {said:?}");
    assert_eq!(came(&fake), 0);
    std::fs::remove_file(&filler).unwrap();
    Small::with(&["-o", "remount,ro", disk.0.to_str().unwrap()]).unwrap();
    run(&deposit, &[]).refuses("can't be written");
    assert_eq!(came(&fake), 0);
    Small::with(&["-o", "remount,rw", disk.0.to_str().unwrap()]).unwrap();
    run(&["outbox", "run"], &[]).ends(0, "confirmed");
    assert_eq!(came(&fake), 1);
}

/// Seen failing without the lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_sender_is_told_who_has_it_and_sends_nothing() {
    let (fake, mailbox) = faked().await;
    mailbox.send(&["withdraw", "alice", "40.00", "--wait", "0s"]).await.ends(3, "");
    let lock = SenderLock::take(&mailbox.file()).unwrap();
    mailbox.outbox(&["run"]).await.refuses(&format!("process {}", std::process::id()));
    let said = mailbox.send(&["deposit", "alice", "1.00", "--wait", "200ms"]).await;
    said.ends(3, "another sender has the outbox");
    assert_eq!(came(&fake), 0);
    drop(lock);
    mailbox.outbox(&["run"]).await.ends(0, "confirmed");
    assert_eq!(came(&fake), 2);
}

/// Seen failing while the address was not compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_another_service_is_refused_and_nothing_goes_there() {
    let (fake, mailbox) = faked().await;
    let (other, address) = Fake::start().await;
    mailbox.send(&["withdraw", "alice", "40.00", "--wait", "0s"]).await.ends(3, "");
    let url = format!("http://{address}");
    let deposit = ["send", "deposit", "alice", "1.00"];
    mailbox.run(&[&deposit[..], &["--url", &url]].concat(), "").await.refuses("belongs to the service at");
    mailbox.outbox(&["run", "--url", &url]).await.refuses("belongs to the service at");
    assert_eq!((came(&fake), came(&other)), (0, 0));
    // Without an address it goes where the outbox belongs.
    mailbox.run(&deposit, "").await.ends(0, "confirmed");
    assert_eq!((came(&fake), came(&other)), (2, 0));
}

/// Seen failing while every message could be edited and dropped.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_booked_is_not_edited_and_what_is_not_there_is_told() {
    let (fake, mailbox) = faked().await;
    mailbox.outbox(&["list"]).await.refuses("there is no outbox at");
    let id = mailbox.send(&["withdraw", "alice", "40.00", "--wait", "0s"]).await.ends(3, "").id();
    for asked in [&["edit", &id, "amount=4.00"][..], &["drop", &id]] {
        mailbox.outbox(asked).await.refuses("not before its outcome is known");
    }
    let unknown = "018f4e6e-9d52-7a30-8f7e-0000000000ff";
    for asked in [
        &["show", unknown][..],
        &["retry", unknown],
        &["edit", unknown, "amount=1"],
        &["rule-out", unknown],
        &["drop", unknown],
    ] {
        mailbox.outbox(asked).await.refuses("there is no message");
    }
    mailbox.outbox(&["show", "x"]).await.ends(2, "UUID");
    assert_eq!((came(&fake), mailbox.states().await), (0, vec!["pending".to_owned()]));
}

/// Nobody could find the message again whose ID was not printed before it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_id_is_printed_before_the_first_byte_leaves() {
    let (fake, mailbox) = faked().await;
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = mailbox.command(&["send", "withdraw", "alice", "40.00", "--url", &mailbox.url]);
    let ended = tokio::task::spawn_blocking(move || command.stdout(full).output().unwrap()).await.unwrap();
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(1) && error.contains("stored, but not sent"), "{error}");
    assert_eq!((came(&fake), mailbox.states().await), (0, vec!["pending".to_owned()]));
    mailbox.outbox(&["run"]).await.ends(0, "confirmed");
    assert_eq!(came(&fake), 1);
}
