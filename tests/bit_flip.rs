//! These tests flip bytes in the files of a ledger. Each flip is found, or does no harm: the ledger never goes on from
//! a history that it did not write.

mod support;

use std::path::Path;

use bookonce::answers::{Answer, render};
use bookonce::domain::command::Command;
use bookonce::ledger::{Ledger, Verdict};
use support::*;

/// Returns the commands of a small history.
fn commands() -> Vec<Command> {
    vec![
        open(1, "alice"),
        deposit(2, "alice", "100.00"),
        withdraw(3, "alice", "40.00"),
        withdraw(4, "alice", "1000.00"),
        reverse(5, "alice", 3, None, false),
        open(6, "bob"),
        deposit(7, "bob", "12.34"),
    ]
}

/// Books the history, a commit at a time. Returns the first answers.
async fn history(ledger: &Ledger) -> Vec<Answer> {
    let mut answers = Vec::new();
    for command in commands() {
        match ledger.execute(vec![command]).await.unwrap().remove(0) {
            Verdict::Booked(event, _) => answers.push(render(&event)),
            other => panic!("{other:?}"),
        }
    }
    answers
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn flipped(good: &[u8], at: usize) -> Vec<u8> {
    let mut bad = good.to_vec();
    bad[at] ^= 0x04;
    bad
}

/// Catches: a start that believes what SQLite makes of a damaged WAL and forgets acknowledged commits.
#[tokio::test]
async fn a_flip_in_the_wal_of_a_killed_service_loses_no_more_than_the_last_commit() {
    let dir = tempfile::tempdir().unwrap();
    let running = dir.path().join("running");
    let ledger = open_ledger(&running).unwrap();
    history(&ledger).await;
    let killed = dir.path().join("killed");
    copy(&running, &killed);
    let lines = ledger.lines(0, 100).await.unwrap();
    let wal = std::fs::read(killed.join("journal.db-wal")).unwrap();
    let (mut refused, mut cut, mut harmless) = (0, 0, 0);
    for at in (0..wal.len()).step_by(41) {
        let place = dir.path().join(format!("flipped-{at}"));
        copy(&killed, &place);
        std::fs::write(place.join("journal.db-wal"), flipped(&wal, at)).unwrap();
        match open_ledger(&place) {
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("damaged"), "{error}");
            }
            Ok(opened) => {
                let position = opened.head().position;
                let kept = opened.lines(0, 100).await.unwrap();
                assert!(position >= 6, "byte {at}: {position} of 7 events are left");
                assert!(lines.starts_with(&kept), "byte {at}: the history was changed");
                if position == 6 { cut += 1 } else { harmless += 1 }
            }
        }
        // Its threads may still be at it; the temporary folder is removed in the end.
        let _removed_or_not = std::fs::remove_dir_all(&place);
    }
    println!("refused {refused}, last commit cut {cut}, harmless {harmless}");
    assert!(refused > 0 && cut > 0);
}

/// Catches: an ID that is booked again, or gets another first answer, because its event in the journal is not what was
/// written. Every ID is sent again to the ledger that has started on the flipped file.
#[tokio::test]
async fn a_flip_in_the_journal_changes_no_first_answer() {
    let dir = tempfile::tempdir().unwrap();
    let sound = dir.path().join("sound");
    let ledger = open_ledger(&sound).unwrap();
    let first = history(&ledger).await;
    ledger.stop().unwrap();
    drop(ledger);
    let journal = std::fs::read(sound.join("journal.db")).unwrap();
    let (mut refused, mut unavailable, mut answered) = (0, 0, 0);
    for at in (0..journal.len()).step_by(89) {
        let place = dir.path().join(format!("flipped-{at}"));
        copy(&sound, &place);
        std::fs::write(place.join("journal.db"), flipped(&journal, at)).unwrap();
        let Ok(opened) = open_ledger(&place) else {
            refused += 1;
            continue;
        };
        for (command, first) in commands().into_iter().zip(&first) {
            match opened.execute(vec![command]).await {
                Ok(verdicts) => match &verdicts[..] {
                    [Verdict::Replayed(event, _)] => {
                        assert_eq!(render(event), *first, "byte {at}: a first answer was changed");
                        answered += 1;
                    }
                    [Verdict::Unavailable(_)] => unavailable += 1,
                    other => panic!("byte {at}: {other:?}"),
                },
                Err(_) => unavailable += 1,
            }
        }
        let _stopped_or_not = opened.stop();
        let _removed_or_not = std::fs::remove_dir_all(&place);
    }
    println!("not opened {refused}; IDs refused {unavailable}, answered {answered}");
    assert!(refused > 0 && unavailable > 0 && answered > 0);
}
