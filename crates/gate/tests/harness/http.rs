//! A gate that answers on a port, and a back end that signs.

use super::Gate;
use hyper_util::server::graceful::GracefulShutdown;
use portcullis_core::board::Posting;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{FactorId, PrincipalId};
use portcullis_core::request::{Algorithm, Base, Parts, headers_for};
use portcullis_core::{Act, Digest, Evidence, Reason};
use portcullis_gate::sequencer::{Command, Shared};
use portcullis_gate::server::Api;
use portcullis_host::listen::{Bounds, accept};
use portcullis_host::{Clock, Http, Reply, SystemRandom, Web};
use portcullis_keeper::testkit::{CrashDisk, HandClock, World};
use portcullis_keys::StatementKey;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// No test waits as long for anything.
const LONG: Duration = Duration::from_mins(1);

/// A gate that answers on a port.
pub struct Served {
    pub authority: String,
    pub clock: HandClock,
    pub shared: Arc<Shared>,
    nonce: std::cell::Cell<u64>,
}

/// Serve a gate whose sequencer takes each command as it comes.
pub fn serve(mut gate: Gate) -> Served {
    let (served, commands) = listen(&gate);
    std::thread::spawn(move || {
        while let Ok(command) = commands.recv() {
            gate.take(command);
        }
    });
    served
}

/// Serve a gate whose sequencer is the test's.
pub fn listen(gate: &Gate) -> (Served, Receiver<Command>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let (queue, commands) = sync_channel(16);
    let (clock, shared) = (gate.clock.clone(), Arc::clone(&gate.shared));
    let api_clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let random = Arc::new(SystemRandom);
    let api = Api::new(
        Arc::clone(&shared),
        queue,
        api_clock,
        random,
        Arc::new(CrashDisk::default()),
        vec![authority.clone()],
    );
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let bounds = Bounds {
                connections: 1024,
                per_peer: 1024,
                headers_within: LONG,
                answer_within: LONG,
            };
            accept(&listener, &api.router(), bounds, &GracefulShutdown::new()).await;
        });
    });
    let served = Served {
        authority,
        clock,
        shared,
        nonce: std::cell::Cell::new(0),
    };
    (served, commands)
}

/// What a back end signs, to be spoilt before it is.
#[derive(Clone)]
pub struct Request {
    pub parts: Parts,
    pub body: Vec<u8>,
    pub more: Vec<(&'static str, String)>,
}

impl Served {
    pub fn request(&self, method: &str, path: &str, act: Option<Digest>, body: Vec<u8>) -> Request {
        self.nonce.set(self.nonce.get() + 1);
        let key = World::key(&World::BACK_END.0);
        let digest = (!body.is_empty()).then(|| Sha256::digest(&body).into());
        let parts = Parts {
            method: method.into(),
            authority: self.authority.clone(),
            path: path.into(),
            query: None,
            content_digest: digest,
            act: act.map(|act| act.0),
            created: self.clock.now().0 / 1000,
            expires: None,
            nonce: format!("nonce-number-{:08}", self.nonce.get()),
            key_id: factor_of(World::BACK_END).to_string(),
            algorithm: Algorithm::of(key.public_key()),
        };
        Request {
            parts,
            body,
            more: Vec::new(),
        }
    }

    pub fn submission(&self, act: &Act, evidence: &Evidence) -> Request {
        // The back end's signature of the test kit makes room for that of this very request.
        let evidence = Evidence {
            requests: Vec::new(),
            ..evidence.clone()
        };
        let posting = Posting {
            act: act.clone(),
            evidence,
        };
        let body = serde_json::to_vec(&posting).unwrap();
        self.request("POST", "/v1/acts", Some(act.digest()), body)
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.request("GET", path, None, Vec::new()))
    }

    pub fn send(&self, request: Request) -> (u16, Value) {
        self.send_as(World::BACK_END, request)
    }

    pub fn send_as(&self, who: PrincipalId, request: Request) -> (u16, Value) {
        let (method, path) = (request.parts.method.clone(), target(&request.parts));
        let (headers, body) = Self::signed_by(who, request);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.raw(&method, &path, &headers, &body)
    }

    /// The answer as it comes over the wire, headers and all.
    pub fn plain(&self, request: Request) -> String {
        let mut stream = self.begin(request);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Send a request and do not wait for the answer.
    pub fn begin(&self, request: Request) -> TcpStream {
        let (method, path) = (request.parts.method.clone(), target(&request.parts));
        let (headers, body) = Self::signed(request);
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.authority);
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(
            head,
            "connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        stream
    }

    /// The headers of a request, signed, and its body.
    fn signed(request: Request) -> (Vec<(&'static str, String)>, Vec<u8>) {
        Self::signed_by(World::BACK_END, request)
    }

    fn signed_by(who: PrincipalId, request: Request) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let Request { parts, body, more } = request;
        let key = World::key(&who.0);
        let parts = Parts {
            key_id: factor_of(who).to_string(),
            ..parts
        };
        let base = Base::new(parts).unwrap();
        let signature = key.sign(&base.to_bytes()).unwrap();
        let signed = headers_for(&base, &signature);
        let mut headers = vec![
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
        ];
        headers.extend(
            signed
                .content_digest
                .map(|digest| ("content-digest", digest)),
        );
        headers.extend(signed.portcullis_act.map(|act| ("portcullis-act", act)));
        for (name, value) in more {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value));
        }
        headers.retain(|(_, value)| !value.is_empty());
        (headers, body)
    }

    pub fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, Value) {
        let (url, patience) = (
            format!("http://{}{path}", self.authority),
            Duration::from_secs(10),
        );
        let reply = match method {
            "GET" => Web::new().get(&url, headers, 1 << 20, patience),
            _ => Web::new().post(&url, headers, body, 1 << 20, patience),
        };
        let Reply { status, body } = reply.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

/// The path with the query.
fn target(parts: &Parts) -> String {
    let query = parts.query.iter().map(|query| format!("?{query}"));
    core::iter::once(parts.path.clone()).chain(query).collect()
}

/// The request key of a member of staff.
fn factor_of(who: PrincipalId) -> FactorId {
    let key = World::key(&who.0).public_key().clone();
    NewFactor::RequestKey { key }.id()
}

#[track_caller]
pub fn refused((status, problem): (u16, Value), reason: Reason) {
    assert_eq!(problem["reason"], reason.number(), "{status} {problem}");
    assert_eq!(problem["type"], reason.problem_type());
    assert_eq!(problem["status"], status);
    assert!(status >= 400);
}
