//! Messages are shown here, in words for a person and as JSON for a program.

use serde_json::{Value, json};

use crate::client::outbox::row::Message;
use crate::client::outbox::state::State;
use crate::client::sender::Answer;

/// This much of why something went wrong is shown in a line.
const SHOWN: usize = 160;

/// Returns one line about a message: its ID, where it stands, and what was last heard.
pub(super) fn line(message: &Message) -> String {
    let said = last(message);
    format!("{} {}{}{said}", message.id(), standing(message.state), if said.is_empty() { "" } else { ": " })
}

/// Returns the state in the words of the docs.
fn standing(state: State) -> String {
    match state.shown() {
        (word, Some(why)) => format!("{word} ({why})"),
        (word, None) => word.to_owned(),
    }
}

/// Returns what was last heard of a message.
fn last(message: &Message) -> String {
    let answer = message.status.map(|status| {
        let body = message.answer.clone().unwrap_or_default();
        Answer { status, replayed: false, body, attempts: message.attempts }
    });
    let said = match (&answer, &message.trouble) {
        (_, Some(trouble)) => trouble.clone(),
        (Some(answer), None) if answer.accepted() => {
            let balance = answer.json()["balance"].as_str().map(|balance| format!(", balance {balance}"));
            format!("{}{}", answer.status, balance.unwrap_or_default())
        }
        (Some(answer), None) => answer.problem(),
        (None, None) => String::new(),
    };
    said.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// Returns the head of the table that [`row`] makes the lines of.
pub(super) fn head() -> String {
    format!(
        "{:<38}{:<27}{:<14}{:<24}{:<9}{:<22}LAST HEARD",
        "ID", "STATE", "OP", "ACCOUNTS", "ATTEMPTS", "NEXT OR ANSWERED"
    )
}

/// Returns a message as a line of the table.
pub(super) fn row(message: &Message) -> String {
    let when = match message.state {
        State::Pending => Some(message.next_at),
        State::Sending
        | State::Confirmed
        | State::Declined
        | State::NeedsAttention(_)
        | State::RuledOut
        | State::Replaced => message.answered_at,
    };
    let when = when.map(|at| at.to_string().chars().take(19).collect::<String>()).unwrap_or_default();
    let (id, state) = (message.id().to_string(), standing(message.state));
    let (op, accounts) = (&message.op, message.accounts.join(" "));
    format!("{id:<38}{state:<27}{op:<14}{accounts:<24}{:<9}{when:<22}{}", message.attempts, last(message))
        .trim_end()
        .to_owned()
}

/// Returns everything about a message as JSON.
pub(super) fn json(message: &Message) -> Value {
    let (state, why) = message.state.shown();
    let parsed = |text: &[u8]| -> Value {
        serde_json::from_slice(text).unwrap_or_else(|_| String::from_utf8_lossy(text).into())
    };
    let id = |id: Option<crate::domain::ids::TransactionId>| id.map(|id| id.to_string());
    json!({
        "transaction_id": message.id().to_string(), "state": state, "why": why, "op": message.op,
        "accounts": message.accounts, "path": message.request.path, "body": parsed(&message.request.body),
        "attempts": message.attempts, "stored_at": message.stored_at.to_string(),
        "next_at": (message.state == State::Pending).then(|| message.next_at.to_string()),
        "deadline_at": message.deadline_at.to_string(), "status": message.status,
        "answered_at": message.answered_at.map(|at| at.to_string()), "answer": message.answer.as_deref().map(parsed),
        "trouble": message.trouble, "rules_out": id(message.rules_out), "replaces": id(message.replaces),
        "replaced_by": id(message.replaced_by),
    })
}
