//! `bookonce send` keeps a message in an outbox, prints its ID, and only then sends it.

use std::io::{IsTerminal, Read};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::shared::{At, Key, ended, length, worst};
use super::{say_refused, show};
use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome, complain};
use crate::client::outbox::error::Error as OutboxError;
use crate::client::outbox::file::Outbox;
use crate::client::outbox::lock::SenderLock;
use crate::client::outbox::order::{self, Order, Wrong};
use crate::client::outbox::row::Message;
use crate::client::outbox::sending::{End, Sender, Sending};
use crate::client::outbox::state::State;
use crate::domain::ids::TransactionId;
use crate::domain::time::system_clock;
use crate::with_causes::with_causes;

/// This is the most bytes and lines on standard input: as in a batch.
const LARGEST: u64 = 8 * 1024 * 1024;
const MOST_LINES: usize = 10_000;
/// While another process sends, this is how often its work is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Send a request to the ledger so that it is booked once, whatever breaks
///
/// The ID and the whole request are in the outbox, on the disk, before the first byte leaves, and the ID is printed. Then it
/// is sent, again and again under that ID, until there is an answer or --wait is over. What is left is sent by the next
/// `bookonce send` or `bookonce outbox run` with the same file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce send open_account alice --currency EUR --outbox atm.outbox
  bookonce send deposit alice 100.00 --outbox atm.outbox
  bookonce send withdraw alice 40.00 --metadata atm=77 --outbox atm.outbox --url https://ledger.example
  bookonce send transfer alice 10.00 --to bob --outbox atm.outbox
  bookonce send reverse alice --reverses ID --reason mistake --outbox atm.outbox
  bookonce send - --outbox atm.outbox < lines.ndjson      lines as in a batch, with or without their own IDs

Exit codes: 0 confirmed; 1 it could not be stored or sent; 2 wrong usage, and nothing was stored; 3 stored and not answered yet;
4 declined; 5 it needs attention. Of several messages the worst counts: 0 < 4 < 3 < 5.")]
pub struct Args {
    /// open_account, deposit, withdraw, reverse, hold, capture, release or transfer; - for lines on standard input
    op: Option<String>,
    /// The account; of a transfer the one that the money comes from
    account: Option<String>,
    /// The amount, such as 40.00
    amount: Option<String>,
    #[command(flatten)]
    at: At,
    /// Where the service is [default: the outbox's own, or http://127.0.0.1:7070 for a new one]
    #[arg(long, env = "BOOKONCE_URL")]
    url: Option<String>,
    #[command(flatten)]
    key: Key,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = length)]
    wait: Duration,
    /// For how long the message is sent again; after that its outcome is unknown
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = length)]
    deadline: Duration,
    /// Let the others of an account pass one that needs attention
    #[arg(long)]
    go_on: bool,
    #[command(flatten)]
    more: More,
}

/// `More` has the fields of a request that not every op has.
#[derive(Debug, clap::Args)]
struct More {
    /// The transaction's ID, where it has one already
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// The currency of a new account
    #[arg(long)]
    currency: Option<String>,
    /// How far below zero a new account may go
    #[arg(long, value_name = "AMOUNT")]
    overdraft_limit: Option<String>,
    /// Where a transfer goes: an account, or @external: and a payout provider
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,
    /// The hold that is captured or released
    #[arg(long, value_name = "UUID")]
    hold: Option<String>,
    /// The transaction that is reversed
    #[arg(long, value_name = "UUID")]
    reverses: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// After how many seconds a hold expires
    #[arg(long, value_name = "SECONDS")]
    expires_in_seconds: Option<String>,
    /// After how many seconds a transfer is stopped
    #[arg(long, value_name = "SECONDS")]
    timeout_seconds: Option<String>,
    /// The ledger's own account on the other side
    #[arg(long, value_name = "@ACCOUNT")]
    counter_account: Option<String>,
    /// When it happened in the world
    #[arg(long, value_name = "TIMESTAMP")]
    effective_at: Option<String>,
    /// Let a reversal pass the overdraft limit; only operators may
    #[arg(long)]
    force: bool,
    /// The business's own data, such as its ids
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::change)]
    metadata: Vec<(String, String)>,
}

/// Runs the command.
///
/// # Errors
/// Fails when what it could not do can't be said.
pub(crate) fn run(args: Args) -> Outcome {
    ended(act(&args))
}

fn act(args: &Args) -> Result<Exit, Error> {
    let orders = orders(args)?;
    let key = args.key.read()?;
    let stored = open(args).and_then(|mut outbox| {
        outbox.add(&orders, args.deadline, key.as_deref())?;
        Ok(outbox)
    });
    let outbox = match stored {
        Err(error) if !error.is_misuse() => return Err(told("nothing was stored or sent", &error)),
        stored => stored?,
    };
    // From here on whoever reads this can find the message again, and nothing of it was sent.
    let printed = orders.iter().try_for_each(|order| out::line(format_args!("{} stored", order.id())));
    printed.map_err(|error| format!("stored, but not sent, since the ID can't be printed: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sent = runtime.block_on(sent(args, outbox, &orders, key));
    let messages = sent.map_err(|error| told("stored, but the outbox can't be sent from", &error))?;
    messages.iter().try_for_each(|message| out::line(show::line(message)))?;
    Ok(worst(messages.iter().map(|message| message.state)))
}

/// Says how far it came before this error.
fn told(how_far: &str, error: &OutboxError) -> Error {
    format!("{how_far}: {}", with_causes(error)).into()
}

fn open(args: &Args) -> Result<Outbox, OutboxError> {
    let exists = std::fs::metadata(&args.at.outbox).is_ok_and(|found| found.len() > 0);
    match &args.url {
        None if exists => Outbox::open(&args.at.outbox, system_clock()),
        url => {
            let service = url.as_deref().unwrap_or("http://127.0.0.1:7070");
            Outbox::open_or_make(&args.at.outbox, service, system_clock())
        }
    }
}

/// Sends until the messages have their ends or the wait is over, or looks on while another process sends. Returns the
/// messages.
async fn sent(
    args: &Args,
    outbox: Outbox,
    orders: &[Order],
    key: Option<String>,
) -> Result<Vec<Message>, OutboxError> {
    let ends = Instant::now() + args.wait;
    let read = |outbox: &Outbox| -> Result<Vec<Message>, OutboxError> {
        orders.iter().map(|order| outbox.message(order.id())).collect()
    };
    let mut was_told = false;
    loop {
        let messages = read(&outbox)?;
        let is_settled =
            |message: &Message| message.state.is_final() || matches!(message.state, State::NeedsAttention(_));
        let left = ends.saturating_duration_since(Instant::now());
        if messages.iter().all(is_settled) || left.is_zero() {
            return Ok(messages);
        }
        match SenderLock::take(&args.at.outbox) {
            Ok(lock) => {
                let numbers: Vec<i64> = messages.iter().map(|message| message.number).collect();
                let sending = Sending { go_on: args.go_on, key, ..Sending::default() };
                let mut sender = Sender::new(outbox, lock, sending)?;
                sender.run(End::Settled(&numbers), tokio::time::sleep(left), |_| ()).await?;
                say_refused(&sender);
                return read(sender.outbox());
            }
            Err(held @ OutboxError::Held { .. }) => {
                if !was_told {
                    complain(&held);
                }
                was_told = true;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK_AGAIN.min(left)).await;
    }
}

/// Makes the orders of the command line or of standard input. They are all right, or nothing is stored.
fn orders(args: &Args) -> Result<Vec<Order>, OutboxError> {
    match args.op.as_deref() {
        None if std::io::stdin().is_terminal() => Err(Wrong(
            "say what to send, such as `withdraw alice 40.00`, or give lines on standard input".to_owned(),
        )
        .into()),
        None | Some("-") => lines(),
        Some(op) => Ok(vec![Order::read(&order::line(op, &fields(op, args))?, fresh_id())?]),
    }
}

fn fields(op: &str, args: &Args) -> Vec<(String, String)> {
    let more = &args.more;
    let account = if op == "transfer" { "from" } else { "account" };
    let named = [
        ("transaction_id", &more.id),
        (account, &args.account),
        ("amount", &args.amount),
        ("currency", &more.currency),
        ("overdraft_limit", &more.overdraft_limit),
        ("to", &more.to),
        ("hold", &more.hold),
        ("reverses", &more.reverses),
        ("reason", &more.reason),
        ("expires_in_seconds", &more.expires_in_seconds),
        ("timeout_seconds", &more.timeout_seconds),
        ("counter_account", &more.counter_account),
        ("effective_at", &more.effective_at),
    ];
    let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let force = more.force.then(|| ("force".to_owned(), "true".to_owned()));
    let metadata = more.metadata.iter().map(|(key, value)| (format!("metadata.{key}"), value.clone()));
    given.chain(force).chain(metadata).collect()
}

fn lines() -> Result<Vec<Order>, OutboxError> {
    let wrong = |why: String| OutboxError::from(Wrong(why));
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| wrong(format!("standard input can't be read: {error}")))?;
    if text.len() as u64 > LARGEST || text.lines().count() > MOST_LINES {
        return Err(wrong(format!("standard input has more than {MOST_LINES} lines or {LARGEST} bytes")));
    }
    let orders: Result<Vec<Order>, _> = text
        .lines()
        .zip(1_u64..)
        .map(|(line, number)| {
            Order::read(line, fresh_id())
                .map_err(|why| wrong(format!("line {number}: {why}; nothing was stored")))
        })
        .collect();
    let orders = orders?;
    if orders.is_empty() {
        return Err(wrong("there is no line on standard input".to_owned()));
    }
    Ok(orders)
}

/// Makes an ID that nobody has made before.
#[allow(clippy::disallowed_methods, reason = "this is the edge at which new IDs are made")]
fn fresh_id() -> TransactionId {
    loop {
        if let Some(id) = TransactionId::from_uuid(Uuid::now_v7()) {
            return id;
        }
    }
}
