//! `bookonce outbox` shows what is in an outbox, sends it, and does what only a person can decide. [`send`] is `bookonce
//! send`, which adds to it.

pub(super) mod send;
pub(super) mod shared;
mod show;

use std::time::Duration;

use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::cli::told_to_stop::told_to_stop;
use crate::client::outbox::file::Outbox;
use crate::client::outbox::lock::SenderLock;
use crate::client::outbox::sending::{End, Sender, Sending};
use crate::client::outbox::state::State;
use crate::domain::ids::TransactionId;
use crate::domain::time::system_clock;

use shared::{At, Key, ended, length, worst};

/// Show, send and settle the messages of an outbox
///
/// An outbox is a file in which `bookonce send` keeps each message, with its ID, from before its first attempt. A message is
/// pending, sending, confirmed, declined, or needs attention: it was refused, or its deadline has passed, so that its
/// outcome is unknown. A message that may be booked can be asked again or ruled out, and not be edited.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce outbox list --outbox atm.outbox
  bookonce outbox run --outbox atm.outbox --watch
  bookonce outbox edit 018f4e6e-9d52-7a30-8f7e-000000000003 amount=4.00 --outbox atm.outbox

Exit codes: 0 done, and with run: all that went is confirmed; 1 it could not be done; 2 wrong usage; with run also: 3 something
is stored and not answered yet; 4 something was declined; 5 something needs attention.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List all messages, the final ones too, in the order in which they go
    List {
        #[command(flatten)]
        at: At,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything about a message, as JSON
    Show {
        #[arg(value_parser = id)]
        id: TransactionId,
        #[command(flatten)]
        at: At,
    },
    /// Send what is there, until nothing can go further
    Run(Run),
    /// Ask again for a message, at once and under the same ID
    Retry {
        #[arg(value_parser = id)]
        id: TransactionId,
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        deadline: Deadline,
    },
    /// Make another message of one that is known not to be booked, under a new ID
    Edit {
        #[arg(value_parser = id)]
        id: TransactionId,
        /// What is to be other than it is; metadata.KEY=VALUE for metadata, and FIELD= to leave a field out
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = change)]
        changes: Vec<(String, String)>,
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        deadline: Deadline,
        #[command(flatten)]
        key: Key,
    },
    /// Take a message back, or prevent it: a reversal that names it is sent in its place
    RuleOut {
        #[arg(value_parser = id)]
        id: TransactionId,
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        deadline: Deadline,
    },
    /// Remove a message about which nothing is open
    Drop {
        #[arg(value_parser = id)]
        id: TransactionId,
        #[command(flatten)]
        at: At,
    },
}

/// The deadline of a message.
#[derive(Debug, clap::Args)]
struct Deadline {
    /// For how long the message is sent again; after that its outcome is unknown
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = length)]
    deadline: Duration,
}

#[derive(Debug, clap::Args)]
struct Run {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    key: Key,
    /// Go on with what others add, until Ctrl-C or SIGTERM
    #[arg(long)]
    watch: bool,
    /// Let the others of an account pass one that needs attention
    #[arg(long)]
    go_on: bool,
    /// The service that the messages must be for; others are not sent
    #[arg(long, env = "BOOKONCE_URL")]
    url: Option<String>,
}

fn id(text: &str) -> Result<TransactionId, String> {
    TransactionId::parse(text).ok_or_else(|| "must be a UUID, and not the nil one".to_owned())
}

fn change(text: &str) -> Result<(String, String), String> {
    let change = text.split_once('=').map(|(field, value)| (field.to_owned(), value.to_owned()));
    change.ok_or_else(|| "must look like amount=4.00".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Fails when what it could not do can't be said.
pub(crate) fn run(args: Args) -> Outcome {
    ended(act(args.action))
}

fn act(action: Action) -> Result<Exit, Error> {
    match action {
        Action::List { at, json } => list(&at, json)?,
        Action::Show { id, at } => out::line(format_args!("{:#}", show::json(&open(&at)?.message(id)?)))?,
        Action::Run(run) => return send_all(&run),
        Action::Retry { id, at, deadline } => {
            open(&at)?.retry(id, deadline.deadline)?;
            out::line(format_args!("{id} pending: the next sender asks again"))?;
        }
        Action::Edit { id, changes, at, deadline, key } => {
            let key = key.read()?;
            let edited = open(&at)?.edit(id, &changes, deadline.deadline, key.as_deref())?;
            out::line(format_args!("{edited} pending: in place of {id}"))?;
        }
        Action::RuleOut { id, at, deadline } => {
            let order = open(&at)?.rule_out(id, deadline.deadline)?;
            out::line(format_args!("{order} pending: it rules out {id}"))?;
        }
        Action::Drop { id, at } => {
            open(&at)?.drop_message(id)?;
            out::line(format_args!("{id} dropped"))?;
        }
    }
    Ok(Exit::Ok)
}

fn open(at: &At) -> Result<Outbox, Error> {
    Ok(Outbox::open(&at.outbox, system_clock())?)
}

fn list(at: &At, as_json: bool) -> Result<(), Error> {
    let messages = open(at)?.list()?;
    if as_json {
        return out::line(messages.iter().map(show::json).collect::<serde_json::Value>());
    }
    out::line(show::head())?;
    messages.iter().try_for_each(|message| out::line(show::row(message)))
}

fn send_all(run: &Run) -> Result<Exit, Error> {
    let key = run.key.read()?;
    let outbox = open(&run.at)?;
    run.url.as_deref().map_or(Ok(()), |url| outbox.is_for(url))?;
    let lock = SenderLock::take(&run.at.outbox)?;
    let sending = Sending { go_on: run.go_on, key, ..Sending::default() };
    let mut sender = Sender::new(outbox, lock, sending)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut ends, mut printed) = (Vec::new(), Ok(()));
    runtime.block_on(async {
        let stop = told_to_stop()?;
        let end = if run.watch { End::Told } else { End::NothingGoesFurther };
        let told = |message: &crate::client::outbox::row::Message| {
            ends.push(message.state);
            if printed.is_ok() {
                printed = out::line(show::line(message));
            }
        };
        sender.run(end, stop, told).await.map_err(Error::from)
    })?;
    printed?;
    say_refused(&sender);
    let left = sender.outbox().list()?.into_iter().map(|message| message.state);
    let left: Vec<State> = left.filter(|state| !state.is_final()).collect();
    Ok(worst(ends.into_iter().filter(|state| state.is_final()).chain(left)))
}

/// Says that the service has refused the key, if it has.
fn say_refused(sender: &Sender) {
    if let Some(status) = sender.key_was_refused() {
        let why =
            if status == 401 { "it is missing, unknown or revoked" } else { "its role does not allow that" };
        let said = format!("the service refused the key ({status}: {why}); the messages stay in the outbox");
        crate::cli::outcome::complain(Error::from(said).as_ref());
    }
}
