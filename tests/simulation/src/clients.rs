//! Clients send commands, and never give up on an ID. Each keeps the ID through every attempt, and goes to another instance
//! when one does not answer.

use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::command::Command;
use bookonce::domain::ids::AccountName;
use bookonce::domain::refusal::Refusal;
use bookonce::ledger::{Unavailable, Verdict};
use bookonce::tasks::timeout;

use crate::commands::Writer;
use crate::instance::{Life, Place};
use crate::payout_stories::payout;
use crate::readings::read;
use crate::run::Run;
use crate::service::call;
use crate::stories;

/// This is how long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `Heard` is what a client heard of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// There is an answer that is final.
    Answered,
    /// Nothing was recorded, and nothing will be of this attempt.
    Refused,
    /// The ID was used for something else.
    Reused,
    /// Nobody knows, or nobody could say.
    Nothing,
}

/// Sends the commands of one client until each has an answer.
pub async fn client(run: Arc<Run>, number: u64) {
    let world = &run.world;
    let mut writer = Writer::new(number);
    world.wait(1_000_000, 2_000_000).await;
    if number == 0 {
        for account in 0..world.plan().accounts {
            insist(&run, vec![writer.opening(world, account)]).await;
        }
    }
    for _ in 0..world.plan().commands {
        if run.instances.len() > 1 && world.draw(|random| random.below(25)) == 0 {
            // A client that is wrong uses one ID for two accounts at once.
            if let Some((one, other)) = writer.twice(&run) {
                world.mark("ID on two accounts at once");
                tokio::join!(insist(&run, vec![one]), insist(&run, vec![other]));
            }
        }
        let pays = !world.plan().providers.is_empty();
        match world.draw(|random| random.below(20)) {
            0..3 if pays => payout(&run, &mut writer).await,
            0..8 => stories::transfer(&run, &mut writer).await,
            8 | 9 => stories::hold(&run, &mut writer).await,
            10 => stories::parts(&run, &mut writer).await,
            _ => {
                let commands = writer.next(&run);
                insist(&run, commands).await;
            }
        }
        if world.draw(|random| random.below(4)) == 0 {
            ask_again(&run).await;
            read(&run, world.draw(|random| random.below(world.plan().accounts))).await;
        }
        let longest = if world.draw(|random| random.below(8)) == 0 { 20_000_000 } else { 40_000 };
        world.wait(0, longest).await;
    }
}

/// Sends commands until each has a final answer.
pub async fn insist(run: &Run, commands: Vec<Command>) {
    let world = &run.world;
    let mut at = run.any_instance();
    let mut left = commands;
    let mut tries = 0;
    while !left.is_empty() {
        let (heard, lost) = ask(run, at, &left).await;
        let kept = left.into_iter().zip(heard).filter(|(_, heard)| *heard == Heard::Nothing);
        left = kept.map(|(command, _)| command).collect();
        if left.is_empty() {
            return;
        }
        let other = run.any_instance();
        if lost && other != at {
            world.mark("answer lost, retried elsewhere");
        }
        at = other;
        tries += 1;
        world.wait(1_000, 50_000 << tries.min(6)).await;
    }
}

/// Asks once more for something that was answered before.
async fn ask_again(run: &Run) {
    let all = run.answers.all();
    if !all.is_empty() {
        let (_, first) = &all[run.world.draw(|random| random.place(all.len()))];
        let _heard = ask(run, run.any_instance(), std::slice::from_ref(&first.command)).await;
    }
}

/// Asks an instance once. Returns what was heard of each command, and whether an answer was lost on the way.
async fn ask(run: &Run, at: usize, commands: &[Command]) -> (Vec<Heard>, bool) {
    let world = &run.world;
    let begun = world.time();
    let nothing = |lost| (vec![Heard::Nothing; commands.len()], lost);
    world.wait(20, 500).await;
    let Some(life) = run.instances[at].life() else { return nothing(false) };
    if world.goes_wrong(world.plan().net) {
        world.wait(1_000, 1_000_000).await;
        return nothing(false);
    }
    let commands: Arc<[Command]> = commands.into();
    // Now and then a client goes away before it has its answer.
    let goes_away = world.goes_wrong(world.plan().net / 2);
    let patience = if goes_away {
        Duration::from_micros(world.draw(|random| random.between(1, 20_000)))
    } else {
        PATIENCE
    };
    let mut called = call(world, &life, Arc::clone(&commands));
    let ruled = timeout(patience, called.ruled()).await;
    drop(called);
    world.wait(20, 500).await;
    if world.goes_wrong(world.plan().net) || !run.is_current(life.owner) {
        world.step("lost", format!("an answer by {at}"));
        return nothing(true);
    }
    let ruled = match ruled {
        Ok(Some(Ok(ruled))) => ruled,
        Ok(Some(Err(why))) => {
            unavailable(run, why, at, None);
            return nothing(false);
        }
        Ok(None) | Err(_) => return nothing(goes_away),
    };
    let mut heard = Vec::new();
    for (ruled, command) in ruled.into_iter().zip(commands.iter()) {
        heard.push(hear(run, (&life, at), ruled, command, begun));
    }
    if heard.len() != commands.len() {
        world.wrong(format!("{} verdicts for {} commands", heard.len(), commands.len()));
    }
    (heard, false)
}

/// Takes in that there is no answer. Where nothing is wrong there must be one, and what is wrong with one stream must keep
/// nobody waiting who asks of another, and names nothing that may be in it.
fn unavailable(run: &Run, why: Unavailable, at: usize, command: Option<&Command>) {
    let world = &run.world;
    world.step("unavailable", format!("by {at}: {why:?}"));
    let reused = command.is_some_and(|command| run.may_be_reused(command));
    if world.plan().calm && !(why == Unavailable::InProgress && reused) {
        world.wrong(format!("nothing goes wrong, and {at} says {why:?} of {command:?}"));
    }
    let Place::Shared(node) = &run.place else { return };
    if let (Unavailable::StoreDamaged, Some(command)) = (why, command)
        && !reused
        && command.names().is_none()
        && command.corrects().is_empty()
        && !sides(command).any(|account| node.was_damaged(&format!("account-{account}")))
        && !node.was_damaged(&command.stream.to_string())
    {
        world.wrong(format!("{at} says that the store is damaged of {command:?}"));
    }
    if why == Unavailable::OutcomeUnknown {
        world.mark("outcome unknown to a client");
    }
}

/// Returns the accounts of the transfer that a command asks for.
fn sides(command: &Command) -> impl Iterator<Item = &AccountName> {
    command.parties().into_iter().flat_map(|(from, to)| std::iter::once(from).chain(to))
}

fn hear(
    run: &Run,
    (life, at): (&Life, usize),
    verdict: Verdict,
    command: &Command,
    begun: Duration,
) -> Heard {
    let world = &run.world;
    match verdict {
        Verdict::Booked(event, _) | Verdict::Replayed(event, _) => {
            if event.decline_code() == Some("prevented") {
                world.mark("prevented");
            }
            if let Place::Shared(node) = &run.place
                && node.damaged().is_some_and(|damaged| damaged != command.stream.to_string())
            {
                world.mark("bystander answered beside a damaged stream");
            }
            run.answers.hear(world, command, &event, (at, life.owner));
            Heard::Answered
        }
        Verdict::Reused { differences, .. } => {
            world.step("reused", format!("{} by {at}: {differences:?}", command.id));
            if run.may_be_reused(command) {
                world.mark("ID reused on another account");
            } else {
                world.wrong(format!("{} was never used for anything else: {differences:?}", command.id));
            }
            Heard::Reused
        }
        Verdict::Refused(refusal) => {
            world.step("refused", format!("{} by {at}: {refusal:?}", command.id));
            if run.answers.belies(command, &refusal, begun) {
                world.wrong(format!(
                    "{at} says {refusal:?} of {command:?}, and somebody was told otherwise before"
                ));
            }
            if matches!(refusal, Refusal::AccountChanged { .. }) {
                world.mark("correction of an account that has changed");
            }
            Heard::Refused
        }
        Verdict::Unavailable(why) => {
            unavailable(run, why, at, Some(command));
            Heard::Nothing
        }
    }
}

/// Asks an instance for an answer that was given before, until it gives one. Used when nothing goes wrong any more.
pub async fn confirm(run: Arc<Run>, at: usize, command: Command) {
    for _ in 0..200 {
        let (heard, _) = ask(&run, at, std::slice::from_ref(&command)).await;
        if heard.first() == Some(&Heard::Answered) {
            return;
        }
        if heard.first() != Some(&Heard::Nothing) {
            break;
        }
        run.world.wait(10_000, 100_000).await;
    }
    run.world.wrong(format!("instance {at} gives no answer again to {} on {}", command.id, command.stream));
}
