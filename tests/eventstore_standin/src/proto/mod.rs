//! These are the messages of the protocol, written by hand from its facts: the number and the type of each field. What
//! the stand-in never reads or sends (links, users, projections) is left out; an unknown field is skipped, as in any
//! protobuf reader.

pub mod append;
pub mod cluster;
pub mod read;

/// The protocol has its own empty message and uses the well-known one too; on the wire they are the same.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Id {
    #[prost(oneof = "IdForm", tags = "1, 2")]
    pub form: Option<IdForm>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum IdForm {
    #[prost(message, tag = "1")]
    Structured(Halves),
    #[prost(string, tag = "2")]
    Text(String),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Halves {
    #[prost(int64, tag = "1")]
    pub most: i64,
    #[prost(int64, tag = "2")]
    pub least: i64,
}

impl Id {
    pub fn text(id: uuid::Uuid) -> Self {
        Self { form: Some(IdForm::Text(id.to_string())) }
    }

    pub fn structured(id: uuid::Uuid) -> Self {
        let (most, least) = id.as_u64_pair();
        Self {
            form: Some(IdForm::Structured(Halves { most: most.cast_signed(), least: least.cast_signed() })),
        }
    }

    /// `None` when it is missing or no UUID.
    pub fn uuid(&self) -> Option<uuid::Uuid> {
        match self.form.as_ref()? {
            IdForm::Structured(Halves { most, least }) => {
                Some(uuid::Uuid::from_u64_pair(most.cast_unsigned(), least.cast_unsigned()))
            }
            IdForm::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamName {
    #[prost(bytes = "vec", tag = "3")]
    pub name: Vec<u8>,
}

impl StreamName {
    pub fn new(name: &str) -> Self {
        Self { name: name.as_bytes().to_vec() }
    }
}

/// A place in `$all`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Position {
    #[prost(uint64, tag = "1")]
    pub commit: u64,
    #[prost(uint64, tag = "2")]
    pub prepare: u64,
}

impl Position {
    /// Here an event is prepared and committed by one record, so both are that record's place.
    pub fn at(place: u64) -> Self {
        Self { commit: place, prepare: place }
    }
}
