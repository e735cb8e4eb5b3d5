//! The hash chain is computed here as the auditor sees it: each event's hash covers the event and the hash that it
//! follows.
//!
//! There are two kinds of chain. The embedded store chains each event to the event before it in the journal. EventStoreDB, to
//! which several instances write at once, chains each event to the event before it in its stream.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A hash of the chain is a SHA-256.
pub(crate) type Hash = [u8; 32];

/// The chain says what each event is chained to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Each event follows the event before it in the journal: positions count from 1 without gaps, and time never goes back.
    Journal,
    /// Each event follows the event before it in its stream: positions have gaps, and time never goes back within a stream.
    Streams,
}

/// This is the UUID in whose name space event ids are made is 5d6c3ec8-1f7b-5a0e-9c1d-6b6f6f6b3131.
const NAMESPACE: [u8; 16] =
    [0x5d, 0x6c, 0x3e, 0xc8, 0x1f, 0x7b, 0x5a, 0x0e, 0x9c, 0x1d, 0x6b, 0x6f, 0x6f, 0x6b, 0x31, 0x31];

/// Computes the hash that the first event of the journal with this id follows.
#[must_use]
pub(crate) fn genesis(journal_id: Uuid) -> Hash {
    Sha256::digest(format!("bookonce journal {}", journal_id.hyphenated()).as_bytes()).into()
}

/// Computes the hash that the first event of this stream follows, where the chain runs along each stream.
#[must_use]
pub(crate) fn of_stream(stream: &[u8]) -> Hash {
    Sha256::digest([b"bookonce stream ", stream].concat()).into()
}

/// Computes the journal's head hash after one more event, where the chain runs along each stream. It begins with [`genesis`].
#[must_use]
pub(crate) fn running(before: &Hash, hash: &Hash) -> Hash {
    Sha256::new().chain_update(before).chain_update(hash).finalize().into()
}

/// Writes a hash as an event writes it.
#[must_use]
pub(crate) fn show(hash: &Hash) -> String {
    hex::encode(hash)
}

/// This is the value of each hexadecimal digit in lower case, and [`NO_DIGIT`] for every other byte.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut byte = 0_u8;
    let mut rest: &mut [u8] = &mut values;
    while let [value, behind @ ..] = rest {
        *value = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
            _ => NO_DIGIT,
        };
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    values
};
/// This is the value of a byte that is no digit: it has a bit that no digit's value has.
const NO_DIGIT: u8 = 16;

fn value(digit: u8) -> u8 {
    VALUES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT)
}

/// Gives the digit of the lower four bits, in lower case.
fn digit(bits: u8) -> u8 {
    b"0123456789abcdef".get(usize::from(bits & 15)).copied().unwrap_or_default()
}

/// Reads a hash in its one spelling: 64 digits in lower case.
#[must_use]
pub(crate) fn read(text: &[u8]) -> Option<Hash> {
    let text: &[u8; 64] = text.try_into().ok()?;
    let mut hash = [0; 32];
    let mut wrong = 0;
    for (byte, pair) in hash.iter_mut().zip(text.as_chunks::<2>().0) {
        let [high, low] = pair.map(value);
        *byte = high << 4 | low;
        wrong |= high | low;
    }
    (wrong < NO_DIGIT).then_some(hash)
}

/// Says whether this text is the one spelling of this hash. It is much cheaper than to read the text.
#[must_use]
pub(crate) fn is_spelled(hash: &Hash, text: &[u8; 64]) -> bool {
    let mut spelled = [0; 64];
    for (pair, byte) in spelled.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
        *pair = [digit(byte >> 4), digit(*byte)];
    }
    spelled == *text
}

/// Reads a UUID in its one spelling: lower case with hyphens.
#[must_use]
pub(crate) fn read_uuid(text: &[u8; 36]) -> Option<u128> {
    let hyphens = [8, 13, 18, 23];
    let (mut id, mut wrong) = (0_u128, 0);
    for (group, bits) in [(0..8, 32), (9..13, 16), (14..18, 16), (19..23, 16), (24..36, 48)] {
        let mut number = 0_u64;
        for byte in text.get(group)? {
            let digit = value(*byte);
            wrong |= digit;
            number = number << 4 | u64::from(digit);
        }
        id = id << bits | u128::from(number);
    }
    (wrong < NO_DIGIT && hyphens.into_iter().all(|at| text.get(at) == Some(&b'-'))).then_some(id)
}

/// A `Hasher` is a hasher computes hashes and ids over an event's canonical bytes. It keeps its buffer, so that an
/// event costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Hasher {
    /// The first 32 bytes are for the hash that goes before; the canonical bytes come after them.
    buffer: Vec<u8>,
}

impl Hasher {
    /// Takes an event's canonical bytes: `{`, what stands before its id, what stands between that and its hash, `}`.
    pub(crate) fn take(&mut self, front: &[u8], back: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; 32]);
        self.buffer.push(b'{');
        self.buffer.extend_from_slice(front);
        self.buffer.extend_from_slice(back);
        self.buffer.push(b'}');
    }

    /// Computes the hash of the bytes taken, following this hash.
    #[must_use]
    pub(crate) fn hash(&mut self, previous: &Hash) -> Hash {
        if let Some(start) = self.buffer.first_chunk_mut() {
            *start = *previous;
        }
        Sha256::digest(&self.buffer).into()
    }

    /// Computes the event id of the bytes taken, as an event writes it: a UUID of version 5 (RFC 9562, 5.5).
    #[must_use]
    pub(crate) fn event_id(&mut self) -> [u8; 36] {
        let named = self.buffer.get_mut(16..).unwrap_or_default();
        if let Some(start) = named.first_chunk_mut() {
            *start = NAMESPACE;
        }
        let digest: [u8; 20] = Sha1::digest(&*named).into();
        let id = digest.first_chunk().map_or([0; 16], |id: &[u8; 16]| *id);
        let mut text = [0; 36];
        uuid::Builder::from_sha1_bytes(id).into_uuid().hyphenated().encode_lower(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_hashes_are_those_that_other_tools_compute() {
        let journal: Uuid = "018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e".parse().unwrap();
        let genesis = genesis(journal);
        // printf 'bookonce journal 018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e' | sha256sum
        assert_eq!(show(&genesis), "2021087b9bf885ae73d084409e5773006718493bbcfc092a1eee9bd9283d519a");
        let mut hasher = Hasher::default();
        hasher.take(b"\"a\":1,", b"\"b\":2");
        // (printf '%b' "$genesis_bytes"; printf '{"a":1,"b":2}') | sha256sum; python: uuid.uuid5(namespace, …)
        assert_eq!(
            show(&hasher.hash(&genesis)),
            "bce2db1821752d0cbac2edacd4add817fc81d72a49b116143b7b7cfdbf01777c"
        );
        assert_eq!(&hasher.event_id(), b"d66ff15c-2428-55b0-af7f-1b1f99084d94");
        // printf 'bookonce stream account-alice' | sha256sum
        assert_eq!(
            show(&of_stream(b"account-alice")),
            "34a18aec9ac6f77d8e770fcb706eed8b87c377d4dadc1461c608955ba496181a"
        );
        // (printf '%b' "$genesis_bytes"; printf '%b' "$of_stream_bytes") | sha256sum
        assert_eq!(
            show(&running(&genesis, &of_stream(b"account-alice"))),
            "9fd026e650fa2065ae1433c1c987b9294ada8ac05a396fb8daa025598ae85bae"
        );
    }

    #[test]
    fn a_uuid_has_one_spelling() {
        assert_eq!(
            read_uuid(b"018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e"),
            Some(0x018f_4e6e_9d52_7a30_8f7e_3f6b_2a1c_0d4e)
        );
        assert_eq!(read_uuid(b"018F4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e"), None);
        assert_eq!(read_uuid(b"018f4e6e09d52-7a30-8f7e-3f6b2a1c0d4e"), None);
        assert_eq!(read_uuid(b"-18f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e"), None);
        assert!(read(&[b'a'; 64]).is_some() && read(&[b'A'; 64]).is_none() && read(&[b'a'; 62]).is_none());
    }
}
