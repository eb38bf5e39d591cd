//! `portcullis doctor`: what an operator would want to know before it hurts.

use crate::amount::both;
use crate::caps::contradictions;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::out::say;
use crate::overdue::overdue;
use crate::reach::{Reach, ReachArgs};
use crate::replica::Replica;
use crate::withheld;
use clap::Args;
use portcullis_chains::bitcoin::Sats;
use portcullis_chains::caip::{Address, BitcoinChain};
use portcullis_chains::{AssetId, ChainId};
use portcullis_client::Status;
use portcullis_core::genesis::{Mode, Wallet};
use portcullis_core::{Span, Time};
use portcullis_host::Dir;
use portcullis_node::bitcoin::{self, BitcoinNode as _, Listed};
use portcullis_node::{HttpNode, Node as _, NodeError};
use portcullis_tlog::MAX_NOTE_BYTES;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Check clocks, disk room, witnesses, stop boards and nodes, and say what is not protected here
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    reach: ReachArgs,
}

/// Keepers act on nothing older.
const FRESH: Span = Span::seconds(3);
/// How far clocks may be apart.
const SKEW: Span = Span::seconds(1);
/// Less room than this is little.
const ROOM: u64 = 2 << 30;
const PATIENCE: Duration = Duration::from_secs(5);

/// One finding: good news or bad.
type Finding = Result<String, String>;

impl DoctorArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let mut bad = 0_u32;
        for (name, finding) in findings(&reach, &self.reach.dir) {
            match finding {
                Ok(text) => say(format_args!("ok    {name:<12}{text}")),
                Err(text) => {
                    bad += 1;
                    say(format_args!("BAD   {name:<12}{text}"));
                }
            }
        }
        say(promises(&reach));
        if bad == 0 {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Wrong,
            format!("findings that are bad: {bad}"),
            "mend what is named above",
        ))
    }
}

fn findings(reach: &Reach, dir: &Path) -> Vec<(String, Finding)> {
    let pinned = Ok(format!("{} is the pinned one", reach.network.digest()));
    let mut found = vec![("genesis".to_owned(), pinned)];
    match reach.gate.status() {
        Ok(status) => {
            found.push(("gate".to_owned(), gate(reach, &status)));
            found.push(("witnesses".to_owned(), witnesses(reach)));
            found.push(("withheld".to_owned(), withheld(reach, &status)));
            found.extend(journal(reach));
        }
        Err(error) => found.push((
            "gate".to_owned(),
            Err(format!(
                "{error}; witnesses, caps and releases are asked through it, so they are not looked at"
            )),
        )),
    }
    found.extend(here(dir));
    found.extend(boards(reach));
    found.extend(
        reach
            .network
            .genesis()
            .wallets
            .iter()
            .map(|wallet| ("node".to_owned(), node(reach, dir, wallet))),
    );
    found
}

fn gate(reach: &Reach, status: &Status) -> Finding {
    if status.genesis != reach.network.digest() {
        return Err(format!("it is of another network, {}", status.genesis));
    }
    if status.void_entries > 0 {
        return Err(format!(
            "{} void entries: the gate was broken or hostile",
            status.void_entries
        ));
    }
    if !status.suspensions.is_empty() || !status.latches.is_empty() {
        return Err("it is shut, or a keeper has latched: portcullis status".into());
    }
    Ok(format!(
        "{}, {} entries",
        reach.gate.endpoint(),
        status.size
    ))
}

/// The newest checkpoint, as the gate shows it and the witnesses signed it.
fn witnesses(reach: &Reach) -> Finding {
    let url = reach.gate.endpoint().url("/log/checkpoint");
    let reply = reach
        .machine
        .http
        .get(&url, &[], MAX_NOTE_BYTES as u64, PATIENCE);
    let reply = reply.map_err(|error| error.to_string())?;
    if reply.status != 200 {
        return Err(format!(
            "the gate shows no cosigned checkpoint (HTTP {}): no quorum has cosigned since it \
             started; see that the witnesses run and that the gate reaches them",
            reply.status
        ));
    }
    let (seen, known) = reach
        .judged(&reply.body)
        .map_err(|error| error.to_string())?;
    let quorum = known.at(seen.head().size).quorum();
    let oldest = Time::from_unix_seconds(seen.oldest().unix());
    let names: Vec<String> = seen.witnesses().iter().map(ToString::to_string).collect();
    let age = fresh(reach, oldest).map_err(|why| {
        let names = names.join(", ");
        format!("the newest cosignatures, by {names}: {why}; the gate's log names who is silent")
    })?;
    let all = quorum.witnesses().len();
    Ok(format!(
        "{} of {all} have cosigned, {age} ms ago: {}",
        names.len(),
        names.join(", ")
    ))
}

/// What keeps the wallets' later releases back until an operator says so.
fn withheld(reach: &Reach, status: &Status) -> Finding {
    let Some(act) = withheld::first_that_waits(status) else {
        return Ok("no release waits for an operator".into());
    };
    let command = withheld::by_hand(reach, act);
    Err(format!(
        "{act} was suspended, and what its wallet pays later waits behind it; after the lift: {command}"
    ))
}

/// What a replica of our own says.
fn journal(reach: &Reach) -> Vec<(String, Finding)> {
    let replica = match Replica::follow(reach) {
        Ok(replica) => replica,
        Err(failure) => return vec![("journal".to_owned(), Err(failure.to_string()))],
    };
    let (state, now) = (replica.state(), reach.machine.clock.now());
    let found = |bad: Vec<String>, good: &str| {
        if bad.is_empty() {
            Ok(good.to_owned())
        } else {
            Err(bad.join("; "))
        }
    };
    let within = "the limits in force are within what the signers state that they sign";
    let soon = "no release has been on its way for more than a few minutes";
    vec![
        ("caps".to_owned(), found(contradictions(state), within)),
        ("releases".to_owned(), found(overdue(state, now), soon)),
    ]
}

fn boards(reach: &Reach) -> Vec<(String, Finding)> {
    let named = reach.network.genesis().boards.iter();
    let each = named.map(|known| {
        let Some(board) = reach.boards.iter().find(|board| board.id() == known.id) else {
            return Err(format!("nobody says where {} answers", known.id));
        };
        let page = board
            .page(&reach.network, 0)
            .map_err(|error| error.to_string())?;
        let age = fresh(reach, page.time).map_err(|why| format!("{}: {why}", known.id))?;
        Ok(format!("{} answers, {age} ms ago by its clock", known.id))
    });
    each.map(|finding| ("stop board".to_owned(), finding))
        .collect()
}

/// How old something is by our own clock, where that is neither too old nor ahead.
fn fresh(reach: &Reach, time: Time) -> Result<u64, String> {
    let now = reach.machine.clock.now();
    if time > now.after(SKEW) {
        return Err(format!(
            "its clock is {} ms ahead of ours",
            time.since(now).0
        ));
    }
    let age = now.since(time);
    if age > FRESH {
        return Err(format!(
            "{} ms old: silent since, or clocks are apart",
            age.0
        ));
    }
    Ok(age.0)
}

/// What can be seen only on the hosts themselves: those whose configurations stand in this folder.
fn here(dir: &Path) -> Vec<(String, Finding)> {
    let mut found = Vec::new();
    if let Ok(config) = crate::processes::gate_config(&dir.join(Folder::GATE)) {
        found.push(("journal".to_owned(), disk(&config.journal)));
    }
    if let Ok(config) = portcullis_signer::Config::load(&dir.join(Folder::SIGNER)) {
        let without = "nothing is signed";
        found.push(("signer".to_owned(), keeper(&config.data, without)));
    }
    if let Ok(config) = portcullis_herald::Config::load(&dir.join(Folder::HERALD)) {
        let without = "nobody is told, and no delay begins";
        found.push(("herald".to_owned(), keeper(&config.data, without)));
        let posts = posts(&config).into_iter();
        found.extend(posts.map(|finding| ("post".to_owned(), finding)));
    }
    if found.is_empty() {
        let text =
            "no gate.toml and no signer.toml in --dir: look for room and for the signer there";
        found.push(("disk".to_owned(), Ok(text.into())));
    }
    found
}

fn disk(folder: &Path) -> Finding {
    let failed = |error| format!("{}: {error}", folder.display());
    let disk = rustix::fs::statvfs(folder).map_err(failed)?;
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MiB of room where {} is", room >> 20, folder.display());
    if room < ROOM {
        return Err(format!(
            "only {text}; a full disk refuses every act: make room"
        ));
    }
    Ok(text)
}

/// A keeper listens nowhere; while it runs, nobody else gets its folder. Said is what comes of none.
fn keeper(folder: &Path, without: &str) -> Finding {
    let shown = folder.display();
    let lock = std::fs::File::open(folder.join("lock"));
    if let Some(error) = lock
        .as_ref()
        .err()
        .filter(|e| e.kind() != ErrorKind::NotFound)
    {
        return Err(format!(
            "{shown} cannot be looked into: {error}; look as its owner"
        ));
    }
    if lock.is_ok() && Dir::open_alone(folder).is_err() {
        let room = disk(folder)?;
        if let Some(pid) = held_still(folder) {
            return Err(format!(
                "process {pid} on {shown} is held still (SIGSTOP, or a debugger): {without}; \
                 kill -CONT {pid}, or start it anew"
            ));
        }
        return Ok(format!("one runs on {shown}; {room}"));
    }
    Err(format!("none runs on {shown}: {without}; start it"))
}

/// Whether those answer to whom the herald gives its letters.
fn posts(config: &portcullis_herald::Config) -> Vec<Finding> {
    let mail = config.mail.iter();
    let mail = mail.map(|mail| format!("{}:{}", mail.server, mail.port));
    let hooks = config.webhooks.values();
    let hooks = hooks.map(|url| url.trim_start_matches("http://").to_owned());
    let posts: Vec<Finding> = mail.chain(hooks).map(|post| answers(&post)).collect();
    if posts.is_empty() {
        let text = "neither mail nor webhooks in herald.toml: nobody is told, and no delay begins";
        return vec![Err(text.into())];
    }
    posts
}

fn answers(post: &str) -> Finding {
    let failed = |error| format!("{post}: {error}; letters by it wait, and delays with them");
    let mut addresses = post.to_socket_addrs().map_err(failed)?;
    let address = addresses
        .next()
        .ok_or_else(|| format!("{post}: no address"))?;
    TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    Ok(format!("{post} takes connections"))
}

/// The process that holds the folder's lock, where the kernel shows that it is held still.
fn held_still(folder: &Path) -> Option<u32> {
    let inode = std::fs::metadata(folder.join("lock")).ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let pid = holder(&locks, inode)?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The state stands behind the name, which is in brackets and may hold anything.
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    matches!(state, 'T' | 't').then_some(pid)
}

/// `ID: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END`
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(4);
        let pid = words.next()?.parse().ok()?;
        let file = words.next()?.rsplit(':').next()?;
        (file.parse() == Ok(inode)).then_some(pid)
    })
}

/// The node of a chain of coins, and how to be let in: the signer's, or the gate's, by what stands in this folder.
fn node_of_coins(dir: &Path, chain: BitcoinChain) -> Option<(String, PathBuf)> {
    let id = ChainId::Bitcoin(chain);
    let signer = portcullis_signer::Config::load(&dir.join(Folder::SIGNER)).ok();
    let named = signer.and_then(|config| {
        let named = config.chain(id)?;
        Some((named.node.clone(), named.credentials.clone()?))
    });
    named.or_else(|| {
        let gate = crate::processes::gate_config(&dir.join(Folder::GATE)).ok()?;
        let named = gate.coins.get(&id.to_string())?;
        Some((named.node.clone(), named.credentials.clone()))
    })
}

/// Whether the node of a wallet of coins answers, and has what can be spent.
fn coins(dir: &Path, wallet: &Wallet, chain: BitcoinChain) -> Finding {
    let address = wallet.address;
    let Some((url, credentials)) = node_of_coins(dir, chain) else {
        return Ok(format!(
            "{address} spends coins: look on the host of its signer, or of the gate, which have nodes of their own"
        ));
    };
    let look = || {
        let node = bitcoin::HttpNode::new(&url, credentials, chain, PATIENCE)?;
        let head = node.tip()?.number;
        let spends = wallet.spends().ok_or(NodeError::Form("wallet"))?;
        let listed = node.unspent(1, Sats::ZERO)?;
        let is_own = |one: &&Listed| {
            spends
                .locks()
                .any(|it| it.script().as_bytes() == one.script)
        };
        let own = listed.iter().filter(is_own).map(|one| one.amount.get());
        Ok((head, own.clone().count(), own.map(u128::from).sum::<u128>()))
    };
    let (head, count, sum) = look().map_err(|error: NodeError| format!("{url}: {error}"))?;
    if count == 0 {
        return Err(format!(
            "{url} is at block {head} and lists no coin of {address}: pay it, or have the node watch and rescan"
        ));
    }
    Ok(format!(
        "{url} is at block {head}; wallet {address} has {count} coins of {sum} satoshis"
    ))
}

fn node(reach: &Reach, dir: &Path, wallet: &Wallet) -> Finding {
    if let (Some(_), Address::Bitcoin(address)) = (&wallet.bitcoin, wallet.address) {
        return coins(dir, wallet, address.chain());
    }
    let Address::Evm { chain, address } = wallet.address else {
        return Ok(format!(
            "{} is not asked about: its chain is not one of eip155",
            wallet.address
        ));
    };
    let url = reach.nodes.get(&wallet.address.chain());
    let url = url.ok_or_else(|| format!("no node is named for eip155:{chain}"))?;
    let look = || {
        let node = HttpNode::new(url, chain, PATIENCE)?;
        Ok((
            node.chain_id()?,
            node.head()?.block.number,
            node.balance(address)?,
        ))
    };
    let (id, head, balance) =
        look().map_err(|error: portcullis_node::NodeError| format!("{url}: {error}"))?;
    if id != chain {
        return Err(format!("{url} is on chain {id}, not {chain}"));
    }
    let coin = both(balance, AssetId::EvmNative { chain }, &reach.decimals);
    if balance.is_zero() {
        return Err(format!("{} has nothing to pay fees with", wallet.address));
    }
    Ok(format!(
        "{url} is at block {head}; wallet {} has {coin}",
        wallet.address
    ))
}

/// What is not promised, said plainly.
fn promises(reach: &Reach) -> String {
    let boards = reach.network.genesis().boards.len();
    let local = is_local(&reach.gate.endpoint().to_string());
    let mut text = String::new();
    if reach.network.genesis().mode == Mode::Development {
        text += "\nThis is a development genesis: short delays, software keys, a clock that tests turn.";
    }
    if local {
        text += "\nThe gate answers on this machine. If signer, witnesses and stop boards run here too,\n\
                 none of the rows in SECURITY.md's table of attackers holds: root here has every key.";
    } else {
        text += "\nSECURITY.md's table holds only where nobody with the gate's host also has the keepers'\n\
                 or a quorum of the witnesses'. Nothing here can check who has which host.";
    }
    if boards == 0 {
        text += "\nGenesis names no stop board: a gate that is taken over can delay every stop.";
    }
    text
}

fn is_local(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 12 fd:00:7 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 4711 fd:00:4242 0 EOF\n";
        assert_eq!(holder(locks, 4242), Some(4711));
        assert_eq!(holder(locks, 424), None);
    }
}
