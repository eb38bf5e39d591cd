//! A wire between two processes, on which a message can be held.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request: its first line and its body.
pub(crate) struct Message {
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

/// Which message is meant.
pub(crate) type Which = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

/// When the message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Before it is passed on.
    Seen,
    /// When its answer has come, before that is passed back.
    Answered,
}

struct Trap {
    which: Which,
    held: Held,
    caught: SyncSender<Caught>,
}

/// A message that is held until this is dropped.
pub(crate) struct Caught(
    #[allow(dead_code, reason = "its drop lets go")] std::sync::mpsc::Sender<()>,
);

/// The wire: connections to `address` are answered by somebody else.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    trap: Arc<Mutex<Option<Trap>>>,
}

impl Proxy {
    /// A wire to `to` (`host:port`).
    pub(crate) fn to(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let trap: Arc<Mutex<Option<Trap>>> = Arc::default();
        let (to, of_threads) = (to.to_owned(), Arc::clone(&trap));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (to, trap) = (to.clone(), Arc::clone(&of_threads));
                thread::spawn(move || carry(client, &to, &trap));
            }
        });
        Self { address, trap }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Hold the first such message; it is given to whoever waits here.
    pub(crate) fn hold(&self, which: &Which, held: Held) -> Receiver<Caught> {
        let (caught, wait) = sync_channel(1);
        let which = Arc::clone(which);
        *self.trap.lock().unwrap() = Some(Trap {
            which,
            held,
            caught,
        });
        wait
    }
}

/// Requests of one connection, one after the other, each over a connection of its own.
fn carry(client: TcpStream, to: &str, trap: &Mutex<Option<Trap>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut client = client;
    loop {
        let (head, body) = read_message(&mut reader)?;
        let line = head.lines().next().unwrap_or_default().to_owned();
        let message = Message { line, body };
        let trapped = {
            let mut trap = trap.lock().unwrap();
            trap.take_if(|trap| (trap.which)(&message))
        };
        if let Some(trap) = trapped.as_ref().filter(|trap| trap.held == Held::Seen) {
            hold(trap);
        }
        let mut server = TcpStream::connect(to).ok()?;
        server
            .set_read_timeout(Some(Duration::from_secs(15)))
            .ok()?;
        server.write_all(head.as_bytes()).ok()?;
        server.write_all(&message.body).ok()?;
        let (head, body) = read_message(&mut BufReader::new(server))?;
        if let Some(trap) = trapped.as_ref().filter(|trap| trap.held == Held::Answered) {
            hold(trap);
        }
        client.write_all(head.as_bytes()).ok()?;
        client.write_all(&body).ok()?;
    }
}

/// Tell the test, and wait until it lets go.
fn hold(trap: &Trap) {
    let (held, let_go) = channel();
    if trap.caught.send(Caught(held)).is_ok() {
        let _ = let_go.recv();
    }
}

/// A head as it came, and the body that its length announces.
fn read_message(from: &mut impl std::io::BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    assert!(
        header("transfer-encoding").is_none(),
        "a wire knows lengths only: {head}"
    );
    let length = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((head, body))
}
