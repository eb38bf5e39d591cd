//! Files: configurations, keys, and what processes keep.
//!
//! What has a checksum is also tried with the checksum put right, or nothing behind it would be
//! reached: the first byte chooses.

use crate::world::{self, world};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Time;
use portcullis_host::{Clock, Disk, SystemRandom};
use portcullis_journal::{Directory, Store as _};
use portcullis_keeper::lines::Lines;
use portcullis_keeper::testkit::{CrashDisk, HandClock, World};
use portcullis_keys::file::Cost;
use portcullis_keys::{KeyFile, KeyFileError, Kind, Passphrase, StatementKey as _};
use portcullis_signer::record::Record;
use portcullis_tlog::{Frontier, Signer as _};
use portcullis_witness::{Board, Cosigner, Witness};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Read as each process' configuration.
pub(crate) fn configuration(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    toml::from_str::<portcullis_gate::Config>(text).is_ok()
        || toml::from_str::<portcullis_signer::Config>(text).is_ok()
        || toml::from_str::<portcullis_witness::Config>(text).is_ok()
}

/// A file by somebody else never opens, and costs no more than bounds allow.
pub(crate) fn key_file(bytes: &[u8]) -> bool {
    let (fixed, bytes) = choose(bytes);
    let mut file = bytes.to_vec();
    if fixed {
        let end = file.len().saturating_sub(72);
        file.truncate(end);
        let sum = hex::encode(Sha256::digest(&file));
        file.extend(format!("sha256 {sum}\n").bytes());
    }
    // Deriving a key is not what is tried here.
    let is_dear =
        str::from_utf8(&file).is_ok_and(|text| !text.contains("\nargon2id m=64 t=1 p=1\n"));
    if is_dear && !text_has_bad_cost(&file) {
        return false;
    }
    let path = scratch().join("keys");
    fs::write(&path, &file).expect("a scratch file is written");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&path, private).expect("it is ours");
    match KeyFile::open(&path, &passphrase()) {
        Ok(opened) => {
            assert!(opened.keys().count() <= portcullis_keys::file::MAX_KEYS);
            true
        }
        Err(KeyFileError::WrongPassphrase) => true,
        Err(_) => false,
    }
}

/// A line of costs that the parser has to refuse, or no such line.
fn text_has_bad_cost(file: &[u8]) -> bool {
    let text = String::from_utf8_lossy(file);
    let line = text.lines().nth(1).unwrap_or_default();
    let numbers: Vec<u32> = line
        .split([' ', '='])
        .filter_map(|part| part.parse().ok())
        .collect();
    let [memory, passes, lanes] = numbers[..] else {
        return true;
    };
    Cost::new(memory, passes, lanes).is_err()
}

/// Opening twice finds the same, and what was found can be appended to.
pub(crate) fn segment(bytes: &[u8]) -> bool {
    let (fixed, bytes) = choose(bytes);
    let disk = CrashDisk::default();
    let file = if fixed {
        with_right_sums(bytes)
    } else {
        bytes.to_vec()
    };
    disk.put("segment/000000000000", &file);
    let shared: Arc<dyn Disk> = Arc::new(disk);
    let Ok((mut store, found)) = Directory::open(shared.clone(), 1 << 16, Arc::new(SystemRandom))
    else {
        return false;
    };
    let next = found.base.size() + found.entries.len() as u64;
    let mut frontier = found.base.clone();
    for entry in &found.entries {
        frontier.append(portcullis_tlog::Hash::leaf(entry));
    }
    store.make_room(&frontier, 64).expect("there is room");
    store
        .append(next, &[b"more".to_vec()])
        .expect("it takes more");
    drop(store);
    let again = Directory::open(shared, 1 << 16, Arc::new(SystemRandom));
    let (_, again) = again.expect("what was appended to opens");
    // A segment that was full has a second one behind it.
    let last = again.entries.last();
    assert_eq!(last.map(Vec::as_slice), Some(&b"more"[..]));
    true
}

/// Put the checksum of the header and of each frame right.
fn with_right_sums(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let length = file
        .get(20..22)
        .map_or(0, |l| usize::from(u16::from_be_bytes([l[0], l[1]])));
    let end = 22 + length;
    if file.len() >= end + 4 {
        let sum = crc32fast::hash(&file[..end]).to_be_bytes();
        file[end..end + 4].copy_from_slice(&sum);
    }
    let salt = file.get(16..20).map_or_else(Vec::new, <[u8]>::to_vec);
    let starts: Vec<usize> = (0..file.len())
        .filter(|at| file[*at..].starts_with(b"PCBT"))
        .collect();
    for start in starts {
        let frame = &file[start..];
        let Some(length) = frame.get(4..8).and_then(|l| l.first_chunk::<4>()) else {
            continue;
        };
        let length = u32::from_be_bytes(*length) as usize;
        let Some(payload) = frame.get(24..24usize.saturating_add(length)) else {
            continue;
        };
        let mut hash = crc32fast::Hasher::new();
        hash.update(&salt);
        hash.update(&frame[4..20]);
        hash.update(payload);
        let sum = hash.finalize().to_be_bytes();
        file[start + 20..start + 24].copy_from_slice(&sum);
    }
    file
}

/// As a file, or as the payload of a whole line in one.
pub(crate) fn record_lines(bytes: &[u8]) -> bool {
    let (fixed, bytes) = choose(bytes);
    let disk = CrashDisk::default();
    if fixed {
        let mut lines = Lines::open(&disk, "once-only", |_| {}).expect("an empty file opens");
        lines.append(bytes).expect("it takes a line");
        drop(lines);
        let mut found = Vec::new();
        let opened = Lines::open(&disk, "once-only", |payload| found.push(payload.to_vec()));
        assert!(opened.is_ok());
        assert_eq!(found, [bytes]);
    } else {
        disk.put("once-only", bytes);
    }
    let opened = Record::open(&disk).is_ok();
    // A torn end was cut: the second time there is none.
    assert!(!opened || Record::open(&disk).is_ok());
    opened
}

pub(crate) fn witness_memory(bytes: &[u8]) -> bool {
    let (fixed, bytes) = choose(bytes);
    let world = world();
    let key = World::key(&[0x91; 16]);
    let cosigner = || Cosigner::new(&world.network, Arc::new(World::key(&[0x91; 16]))).unwrap();
    assert_eq!(
        key.public_key().as_bytes(),
        world.witnesses[0].key().public()
    );
    let disk = CrashDisk::default();
    Witness::create(&world.network, &cosigner(), &disk).expect("a new memory");
    let mut tail = bytes.to_vec();
    if fixed {
        let base = disk.bytes("witness/base").unwrap_or_default();
        for record in tail.chunks_exact_mut(128) {
            record[..40].copy_from_slice(&base[..40]);
            let sum = Sha256::digest(&record[..96]);
            record[96..].copy_from_slice(&sum);
        }
    }
    disk.put("witness/tail", &tail);
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(World::START));
    let Ok(mut witness) = Witness::open(&world.network, cosigner(), clock, Arc::new(disk)) else {
        return false;
    };
    let _ = witness.handle(b"old 0\n\n");
    true
}

pub(crate) fn board_store(bytes: &[u8]) -> bool {
    let network = &world().network;
    let key = || World::key(&World::BOARD.0);
    let disk = CrashDisk::default();
    Board::create(network, &key(), &disk).expect("a new board");
    let (fixed, bytes) = choose(bytes);
    let mut tail = Vec::new();
    if fixed {
        tail.extend(frame_of(&disk, bytes));
    } else {
        tail.extend(bytes);
    }
    disk.put("board/tail", &tail);
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(Time(World::START.0)));
    let opened = Board::open(network.clone(), Box::new(key()), clock, Arc::new(disk));
    opened.is_ok_and(|mut board| {
        assert_eq!(board.page(0).status, 200);
        true
    })
}

/// A whole frame of this board with these bytes as payload. The empty base has the same header, from
/// which length, number and checksums follow: `frame.rs` draws it.
fn frame_of(disk: &CrashDisk, payload: &[u8]) -> Vec<u8> {
    let base = disk.bytes("board/base").unwrap_or_default();
    let binding = {
        let bound = [&world().network.digest().0[..], &World::BOARD.0].concat();
        Sha256::digest(bound)
    };
    let mut frame = base[..4].to_vec();
    frame.extend(
        u32::try_from(payload.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    frame.extend(0u64.to_be_bytes());
    frame.extend(Sha256::digest(payload));
    let check = Sha256::new()
        .chain_update(binding)
        .chain_update(&frame)
        .finalize();
    frame.extend(&check[..16]);
    frame.extend(payload);
    frame
}

/// Whether checksums are to be put right, and the rest.
fn choose(bytes: &[u8]) -> (bool, &[u8]) {
    bytes
        .split_first()
        .map_or((false, bytes), |(first, rest)| (first % 2 == 1, rest))
}

fn passphrase() -> Passphrase {
    Passphrase::read(&b"a passphrase for tests\n"[..]).expect("a passphrase")
}

/// A folder in memory where there is one, gone when the process ends well.
fn scratch() -> &'static PathBuf {
    static SCRATCH: OnceLock<tempfile::TempDir> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let made = SCRATCH.get_or_init(|| made.expect("a scratch folder"));
        made.path().to_owned()
    })
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in [a_key_file(), a_segment(), a_record(), a_posting()] {
        for choice in [0, 1] {
            seeds.push([&[choice][..], &file].concat());
        }
    }
    let mut record = [0; 256];
    (record[47], record[175]) = (1, 2);
    seeds.push([&[1][..], &record].concat());
    for text in ["gate", "signer", "witness"] {
        seeds.push(configuration_of(text).into_bytes());
    }
    seeds
}

fn a_key_file() -> Vec<u8> {
    let path = scratch().join("seed");
    let _ = fs::remove_file(&path);
    let mut file = KeyFile::create(&path, &passphrase(), Cost::DEVELOPMENT).expect("a key file");
    let name = "a-key".parse().expect("a name");
    file.generate(Kind::Ed25519, name).expect("a key");
    fs::read(path).expect("the key file")
}

fn a_segment() -> Vec<u8> {
    let disk = CrashDisk::default();
    let (mut store, _) = Directory::open(Arc::new(disk.clone()), 1 << 16, Arc::new(SystemRandom))
        .expect("a journal");
    let mut frontier = Frontier::new();
    for batch in [vec![b"one".to_vec(), Vec::new()], vec![vec![3; 300]]] {
        store.make_room(&frontier, 1000).expect("room");
        store.append(frontier.size(), &batch).expect("a batch");
        for entry in &batch {
            frontier.append(portcullis_tlog::Hash::leaf(entry));
        }
    }
    disk.bytes("segment/000000000000").expect("a segment")
}

/// The once-only record's first line, and its payload alone.
fn a_record() -> Vec<u8> {
    let disk = CrashDisk::default();
    let mut record = Record::open(&disk).expect("an empty record");
    record
        .intend(b"a note", 7, World::START, Vec::new())
        .expect("a row");
    let file = disk.bytes("once-only").expect("a record");
    let payload = file.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    URL_SAFE_NO_PAD
        .decode(payload.trim_ascii_end())
        .unwrap_or(file)
}

/// A payload of the board's store: a posting with its stamp, its digest, its share.
fn a_posting() -> Vec<u8> {
    let network = &world().network;
    let key = World::key(&World::BOARD.0);
    let disk = CrashDisk::default();
    Board::create(network, &key, &disk).expect("a new board");
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at(World::START));
    let board = Board::open(
        network.clone(),
        Box::new(key),
        clock,
        Arc::new(disk.clone()),
    );
    let posting = world::posting();
    let answer = board
        .expect("a board")
        .post(&serde_json::to_vec(&posting).expect("JSON"));
    assert_eq!(
        answer.status,
        201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    disk.bytes("board/tail").expect("a tail").split_off(64)
}

fn configuration_of(process: &str) -> String {
    let digest = world().network.digest();
    let (keeper, board, wallet) = (World::KEEPER, World::BOARD, World::WALLET);
    let common = format!("genesis = \"g\"\ngenesis_digest = \"{digest}\"\n");
    let more = match process {
        "gate" => format!(
            "key_file = \"k\"\npassphrase_file = \"p\"\nlog_key = \"log\"\njournal = \"j\"\n\
             listen = \"127.0.0.1:1\"\nauthorities = [\"a\"]\nwitnesses = {{ \"w\" = \"http://w\" }}\n\
             boards = {{ \"{board}\" = \"http://b\" }}\n[chains.\"eip155:1\"]\nmax_fee_per_gas = 3\n\
             max_priority_fee_per_gas = 1\n"
        ),
        "signer" => format!(
            "keeper = \"{keeper}\"\ngate = \"http://gate\"\ndata = \"d\"\n\
             boards = {{ \"{board}\" = \"http://b\" }}\n\
             keys = {{ file = \"k\", passphrase_file = \"p\", statement = \"s\", wallets = {{ \"{wallet}\" = \"w\" }} }}\n\
             [[chains]]\nid = \"eip155:31337\"\nnode = \"http://n\"\nconfirmations = 3\n\
             max_fee = \"5\"\nmax_fee_per_gas = \"5\"\n[[caps]]\nasset = \"{}\"\nper_transaction = \"1\"\nday = \"3\"\n",
            World::ETHER
        ),
        _ => "key_file = \"k\"\npassphrase_file = \"p\"\ndata = \"d\"\nlisten = \"127.0.0.1:1\"\n\
              [witness]\nkey = \"w\"\n"
            .to_owned(),
    };
    common + &more
}
