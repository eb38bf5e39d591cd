//! The formats of Portcullis' journal as a transparency log.
//!
//! Pure: no I/O, no clock, no randomness. Hashing and proofs follow RFC 6962; tiles, notes,
//! checkpoints, cosignatures and the witness protocol follow the C2SP specifications of those
//! names; the page below says which parts are used, and with which limits.
//!
//! What was verified is a value: [`SignedCheckpoint`] exists only with a valid signature by the
//! log, [`Cosigned`] only with a quorum of witnesses, [`witness::Accepted`] only for a checkpoint
//! that extends what the witness saw before.
//!
#![doc = include_str!("../../../docs/spec/log.md")]

mod bundle;
mod checkpoint;
mod cosignature;
mod frontier;
mod hash;
mod key;
mod note;
mod proof;
mod prove;
mod quorum;
mod tile;
pub mod witness;

pub use bundle::{BundleError, EntryTooLong, MAX_ENTRY_BYTES, parse_bundle, push_entry};
pub use checkpoint::{BodyDigest, Checkpoint, CheckpointError, ReadCheckpoint, SignedCheckpoint};
pub use cosignature::{Cosignature, Timestamp, TimestampError};
pub use frontier::{Frontier, FrontierError};
pub use hash::{Hash, HashError, MAX_TREE_SIZE, TreeHead};
pub use key::{
    KeyError, KeyId, KeyName, Log, LogKey, LogSigner, Role, SignError, Signer, SigningKey,
    VerifierKey, Witness, WitnessKey, WitnessSigner,
};
pub use note::{
    MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, Note, NoteError, NoteSignature, SignatureError,
};
pub use proof::{MAX_PROOF_HASHES, ProofError, verify_consistency, verify_inclusion};
pub use prove::{HashReader, ProveError, frontier_at, prove_consistency, prove_inclusion};
pub use quorum::{Cosigned, CosignedError, MAX_WITNESSES, Quorum, QuorumError};
pub use tile::{
    TILE_WIDTH, TileError, TileKind, TilePath, encode_hashes, new_bundles, new_tiles, parse_hashes,
};
