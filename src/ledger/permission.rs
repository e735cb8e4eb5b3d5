//! This rule says which role may ask for what. It is a pure function, and every way into the ledger asks it.
//!
//! A write asks it twice. The first time is before its content is read, with what its kind shows, so that nothing is
//! read for a caller who may not write. The second time is with the command, which shows the rest.

use super::types::TransactionHistory;
use crate::domain::command::Operation;
use crate::domain::money::Written;
use crate::domain::role::Role;
use crate::domain::transfer::command::TransferOperation;

/// An `Act` is what somebody asks for, as far as it matters for the permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The caller reads how accounts stand, and their statements.
    ReadAccounts,
    /// The caller reads what became of a transaction ID. A teller may read that of its own, see [`permit_history`].
    ReadTransaction,
    /// The caller reads the whole ledger: its journal, searches, sums and figures.
    ReadLedger,
    /// The caller records something within what the business allows without a decision of an operator.
    Book,
    /// The caller opens an account that may go below zero.
    OpenOverdrawn,
    /// The caller changes an account's terms (its overdraft limit, or whether it is frozen or closed), or corrects it.
    Control,
    /// The caller takes a movement back even where that takes the account under its limit.
    ForceReversal,
}

impl Act {
    /// Returns what this operation asks for.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Open(opening) if opening.overdraft_limit != Written::ZERO => Self::OpenOverdrawn,
            Operation::Reverse(asked) if asked.force => Self::ForceReversal,
            Operation::SetOverdraftLimit(_)
            | Operation::Correct(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_) => Self::Control,
            Operation::Delivery(_) | Operation::Letter(_) => Self::Control,
            Operation::Transfer(asked) => match asked {
                TransferOperation::Request(_) | TransferOperation::Cancel(_) => Self::Book,
                TransferOperation::Outcome(_)
                | TransferOperation::Retry(_)
                | TransferOperation::Abandon(_)
                | TransferOperation::TimeOut
                | TransferOperation::Stall { .. }
                | TransferOperation::End { .. }
                | TransferOperation::Send(_)
                | TransferOperation::Settle(_)
                | TransferOperation::Contradict { .. }
                | TransferOperation::Confirm { .. } => Self::Control,
            },
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Reverse(_)
            | Operation::Hold(_)
            | Operation::Capture(_)
            | Operation::Release(_)
            | Operation::Expire(_)
            | Operation::TransferHold(_)
            | Operation::TransferCredit(_)
            | Operation::RuleOut(_) => Self::Book,
        }
    }
}

/// A `Denied` is the reason why a caller may not do what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The role can only read.
    OnlyReads,
    /// The role reads accounts, statements and its own transactions, and not the whole ledger.
    NotTheLedger,
    /// The role reads its own transactions, and this is another's.
    NotTheirs,
    /// Only operators may do this.
    OnlyOperators,
    /// Only operators may give credit.
    OnlyOperatorsGiveCredit,
    /// Only operators may force a reversal.
    OnlyOperatorsForce,
}

/// Says whether this role may do this.
///
/// # Errors
/// Returns the reason why it may not.
pub fn permit(role: Role, act: Act) -> Result<(), Denied> {
    match (role, act) {
        (Role::Operator, _)
        | (Role::Teller, Act::ReadAccounts | Act::ReadTransaction | Act::Book)
        | (Role::Auditor, Act::ReadAccounts | Act::ReadTransaction | Act::ReadLedger) => Ok(()),
        (Role::Teller, Act::ReadLedger) => Err(Denied::NotTheLedger),
        (Role::Auditor, Act::Book) => Err(Denied::OnlyReads),
        (Role::Teller | Role::Auditor, Act::OpenOverdrawn) => Err(Denied::OnlyOperatorsGiveCredit),
        (Role::Teller | Role::Auditor, Act::Control) => Err(Denied::OnlyOperators),
        (Role::Teller | Role::Auditor, Act::ForceReversal) => Err(Denied::OnlyOperatorsForce),
    }
}

/// Says whether this role, whose key is `actor`, may be told what became of an ID.
///
/// A teller is told of what it sent itself. It is also told of an ID that nobody has sent yet and that was ruled out,
/// because it may be the one that this teller is about to send.
///
/// # Errors
/// Returns the reason why it may not.
pub fn permit_history(role: Role, actor: &str, found: &TransactionHistory) -> Result<(), Denied> {
    let mut senders = found.first.iter().chain(&found.elsewhere).map(|sent| &*sent.event.origin.actor);
    match role {
        Role::Auditor | Role::Operator => Ok(()),
        Role::Teller if found.first.is_none() || senders.any(|sender| sender == actor) => Ok(()),
        Role::Teller => Err(Denied::NotTheirs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_its_name_says() {
        let allowed = |act| Role::ALL.map(|role| permit(role, act).is_ok());
        assert_eq!(Role::ALL, [Role::Teller, Role::Auditor, Role::Operator]);
        assert_eq!(allowed(Act::ReadAccounts), [true, true, true]);
        assert_eq!(allowed(Act::ReadTransaction), [true, true, true]);
        assert_eq!(allowed(Act::ReadLedger), [false, true, true]);
        assert_eq!(allowed(Act::Book), [true, false, true]);
        for act in [Act::OpenOverdrawn, Act::Control, Act::ForceReversal] {
            assert_eq!(allowed(act), [false, false, true]);
        }
    }
}
