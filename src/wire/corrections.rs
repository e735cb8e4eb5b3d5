//! A correction has fields that go together and fields that exclude each other. Both ways through a body ask this file.

use crate::domain::command::{BalanceChange, Correction, Reason};
use crate::domain::ids::TransactionId;
use crate::domain::money::{Direction, WrittenAmount};
use crate::domain::time::Timestamp;
use crate::domain::written_balance::WrittenBalance;
use crate::wire::fault::FieldError;
use crate::wire::field::Field;
use crate::wire::fields::Fields;

/// Makes a correction of fields that were read; nothing when one is wrong, or when they do not go together.
pub(super) fn correction(fields: &Fields<'_>) -> Option<Correction> {
    if !unfit(fields.present).is_empty() {
        return None;
    }
    let text = |field| fields.text(field);
    let change = match text(Field::Balance) {
        Some(balance) => BalanceChange::To {
            balance: WrittenBalance::parse(balance).ok()?,
            expected_revision: fields.number(Field::ExpectedRevision)?,
        },
        None => BalanceChange::By {
            amount: WrittenAmount::parse(text(Field::Amount)?).ok()?,
            direction: Direction::parse(text(Field::Direction)?)?,
            expected_revision: fields.number(Field::ExpectedRevision),
            effective_at: match text(Field::EffectiveAt) {
                Some(text) => Some(Timestamp::parse(text).ok()?),
                None => None,
            },
        },
    };
    let corrects = match fields.present & Field::Corrects.bit() {
        0 => Vec::new(),
        _ => ids(fields.corrects.iter().map(|text| &**text))?,
    };
    Some(Correction { change, reason: Reason::parse(text(Field::Reason)?)?, corrects, force: fields.force })
}

/// Reads the IDs that a correction names; nothing when one is no ID, when one is there twice, or when there are none or too
/// many.
pub(super) fn ids<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Vec<TransactionId>> {
    let ids: Option<Vec<_>> = texts.map(TransactionId::parse).collect();
    ids.filter(|ids| TransactionId::may_be_corrected(ids))
}

/// Returns why the fields of this set do not go together in a correction.
pub(super) fn unfit(present: u32) -> Vec<FieldError> {
    let has = |field: Field| present & field.bit() != 0;
    let unless = |right: bool, field: Field, problem: &'static str| {
        (!right).then(|| FieldError::new(field.name(), problem))
    };
    let no_meaning = "has no meaning with `balance`";
    let errors = match (has(Field::Balance), has(Field::Amount)) {
        (true, true) => {
            [unless(false, Field::Balance, "must not be there together with `amount`"), None, None]
        }
        (false, false) => {
            [unless(false, Field::Balance, "is missing: `balance` or `amount` must be there"), None, None]
        }
        (true, false) => [
            unless(!has(Field::Direction), Field::Direction, no_meaning),
            unless(has(Field::ExpectedRevision), Field::ExpectedRevision, "is missing"),
            unless(!has(Field::EffectiveAt), Field::EffectiveAt, no_meaning),
        ],
        (false, true) => [unless(has(Field::Direction), Field::Direction, "is missing"), None, None],
    };
    errors.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_a_balance_or_an_amount_is_corrected() {
        use Field::{Amount, Balance, Direction, EffectiveAt, ExpectedRevision};
        let wrong = |fields: &[Field]| {
            let errors = unfit(fields.iter().fold(0, |set, field| set | field.bit()));
            errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        let right: [&[Field]; 3] = [
            &[Balance, ExpectedRevision],
            &[Amount, Direction],
            &[Amount, Direction, ExpectedRevision, EffectiveAt],
        ];
        for fields in right {
            assert!(wrong(fields).is_empty(), "{fields:?}");
        }
        assert_eq!(wrong(&[]), ["balance"]);
        assert_eq!(wrong(&[Balance, Amount, Direction, ExpectedRevision]), ["balance"]);
        assert_eq!(wrong(&[Amount]), ["direction"]);
        assert_eq!(wrong(&[Balance]), ["expected_revision"]);
        assert_eq!(
            wrong(&[Balance, ExpectedRevision, Direction, EffectiveAt]),
            ["direction", "effective_at"]
        );
    }
}
