//! `bookonce destinations` shows where a running service sends what it recorded, and does what only a person can decide.

use uuid::Uuid;

use super::out;
use super::outbox::shared::Key;
use super::outcome::{Error, Exit, Outcome};
use crate::client::policy::Policy;
use crate::client::random::Draws;
use crate::client::request::Request;
use crate::client::sender::{Answer, Client};
use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::TransactionId;

/// See where messages go, pause a destination, let it go on, try it
///
/// Asks a running service. An act has a transaction ID, under which it is asked again when an answer is lost, and which is
/// printed when there was none: with --id the same act is asked for, and done once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce destinations list
  bookonce destinations show crm
  bookonce destinations pause crm --reason \"the receiver is being moved\"
  bookonce destinations resume crm --reason \"it was moved\" --after head
  bookonce destinations test crm

Exit codes: 0 done; 1 it was refused: there is no such destination, it is in another state, or the key does not allow it; 1
also for a test that came to nothing; 2 wrong usage; 3 there was no answer.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List all destinations: name, state, lag, parked messages, dead letters
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show everything about a destination, as JSON
    Show {
        #[arg(value_parser = name)]
        name: DestinationName,
        #[command(flatten)]
        at: At,
    },
    /// Send nothing there for now
    Pause {
        #[arg(value_parser = name)]
        name: DestinationName,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        at: At,
    },
    /// Let one go on that is paused or held
    Resume {
        #[arg(value_parser = name)]
        name: DestinationName,
        /// After which position it goes on, or head for the end of the journal; what is passed over is never sent [default:
        /// from where it stopped]
        #[arg(long, value_name = "POSITION", value_parser = place)]
        after: Option<String>,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        at: At,
    },
    /// Send a message that says nothing there, once, and show what came of it
    Test {
        #[arg(value_parser = name)]
        name: DestinationName,
        /// The ID of a test that was asked for before [default: a new one]
        #[arg(long, value_parser = id)]
        id: Option<TransactionId>,
        #[command(flatten)]
        at: At,
    },
}

/// `At` says which service is meant, and with which key.
#[derive(Debug, clap::Args)]
struct At {
    /// Where the service is
    #[arg(long, env = "BOOKONCE_URL", default_value = "http://127.0.0.1:7070")]
    url: String,
    #[command(flatten)]
    key: Key,
}

#[derive(Debug, clap::Args)]
struct Act {
    /// Why, for those who read it later
    #[arg(long)]
    reason: String,
    /// The ID of an act that was asked for before [default: a new one]
    #[arg(long, value_parser = id)]
    id: Option<TransactionId>,
}

fn name(text: &str) -> Result<DestinationName, String> {
    DestinationName::parse(text)
        .ok_or_else(|| "must be 1 to 32 of a-z, 0-9 and -, and not begin with -".to_owned())
}

fn id(text: &str) -> Result<TransactionId, String> {
    TransactionId::parse(text).ok_or_else(|| "must be a UUID, and not the nil one".to_owned())
}

fn place(text: &str) -> Result<String, String> {
    let fits = text == "head" || text.parse::<u64>().is_ok();
    fits.then(|| text.to_owned()).ok_or_else(|| "must be a position, or head".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Fails when there is no answer, or the output can't be written.
pub(crate) fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(done(args.action))
}

async fn done(action: Action) -> Outcome {
    match action {
        Action::List { at } => list(&at.client()?).await,
        Action::Show { name, at } => said(&at.client()?.look(&format!("/v1/destinations/{name}")).await?),
        Action::Pause { name, act, at } => {
            let request = |id| Request::act(id, name.as_str(), "pause", &act.reason, None);
            asked(&at, act.id, request).await
        }
        Action::Resume { name, after, act, at } => {
            let request = |id| Request::act(id, name.as_str(), "resume", &act.reason, after.as_deref());
            asked(&at, act.id, request).await
        }
        Action::Test { name, id, at } => asked(&at, id, |id| Request::test(id, name.as_str())).await,
    }
}

impl At {
    fn client(&self) -> Result<Client, Error> {
        Ok(Client::new(&self.url, self.key.read()?.as_deref(), Policy::default())?)
    }
}

async fn list(client: &Client) -> Outcome {
    let mut path = "/v1/destinations?limit=1000".to_owned();
    loop {
        let answer = client.look(&path).await?;
        if answer.status != 200 {
            return said(&answer);
        }
        let page = answer.json();
        for one in page["items"].as_array().into_iter().flatten() {
            let text =
                |member: &str| one[member].as_str().map_or_else(|| one[member].to_string(), str::to_owned);
            let members = ["name", "state", "lag_events", "parked", "dead_letters_open"].map(text);
            let [name, state, lag, parked, dead] = members;
            out::line(format_args!("{name} {state} lag={lag} parked={parked} dead={dead}"))?;
        }
        let Some(next) = page["next"].as_str() else { return Ok(Exit::Ok) };
        path = format!("/v1/destinations?limit=1000&cursor={next}");
    }
}

/// Asks for an act. Where no answer came, its ID is told, so that the same act can be asked for again.
async fn asked(at: &At, id: Option<TransactionId>, request: impl Fn(TransactionId) -> Request) -> Outcome {
    let client = at.client()?;
    let id = id.or_else(fresh).ok_or("there are no random numbers for an ID")?;
    match client.send(&request(id)).await {
        Ok(answer) => said(&answer),
        Err(error) => {
            super::outcome::complain(&error);
            Err(format!("it is not known whether it was done: ask again with --id {id}").into())
        }
    }
}

fn fresh() -> Option<TransactionId> {
    let draws = Draws::fresh();
    let (high, low) = (draws.next().to_be_bytes(), draws.next().to_be_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(high.into_iter().chain(low)).for_each(|(byte, drawn)| *byte = drawn);
    TransactionId::from_uuid(Uuid::from_bytes(
        uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes(),
    ))
}

/// Prints an answer, or says why it was refused. A test that came to nothing has an exit code of its own.
fn said(answer: &Answer) -> Outcome {
    if answer.status == 200 || answer.accepted() {
        let said = answer.json();
        out::line(format_args!("{said:#}"))?;
        return Ok(if said["outcome"] == "failed" { Exit::Found } else { Exit::Ok });
    }
    let refused: Error = answer.problem().into();
    super::outcome::complain(refused.as_ref());
    Ok(Exit::Found)
}
