//! Permission: which role may ask for what. A pure rule; every way into the ledger asks it.
//!
//! It is asked twice of a write: before its content is read, of what its kind shows, so that nothing is read for somebody
//! who may not write; and of the command, which shows the rest.

use crate::domain::command::Operation;
use crate::domain::role::Role;

/// What somebody asks for, as far as it matters for who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read anything.
    Read,
    /// Record something, within what the business allows by itself.
    Book,
    /// Set how far below zero an account may go.
    SetOverdraftLimit,
    /// Take a movement back even where that takes the account under its limit.
    ForceReversal,
}

impl Act {
    /// What this operation asks for.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        match operation {
            Operation::SetOverdraftLimit(_) => Self::SetOverdraftLimit,
            Operation::Reverse(asked) if asked.force => Self::ForceReversal,
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Reverse(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_) => Self::Book,
        }
    }
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The role only reads.
    OnlyReads,
    /// Only operators may do this.
    OnlyOperators,
    /// Only operators may force a reversal.
    OnlyOperatorsForce,
}

/// Whether this role may do this.
///
/// # Errors
/// Why it may not.
pub fn permit(role: Role, act: Act) -> Result<(), Denied> {
    match (role, act) {
        (Role::Operator, _) | (Role::Teller, Act::Read | Act::Book) | (Role::Auditor, Act::Read) => Ok(()),
        (Role::Auditor, Act::Book) => Err(Denied::OnlyReads),
        (Role::Teller | Role::Auditor, Act::SetOverdraftLimit) => Err(Denied::OnlyOperators),
        (Role::Teller | Role::Auditor, Act::ForceReversal) => Err(Denied::OnlyOperatorsForce),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_its_name_says() {
        let allowed = |act| Role::ALL.map(|role| permit(role, act).is_ok());
        assert_eq!(Role::ALL, [Role::Teller, Role::Auditor, Role::Operator]);
        assert_eq!(allowed(Act::Read), [true, true, true]);
        assert_eq!(allowed(Act::Book), [true, false, true]);
        assert_eq!(allowed(Act::SetOverdraftLimit), [false, false, true]);
        assert_eq!(allowed(Act::ForceReversal), [false, false, true]);
    }
}
