//! `portcullis sidecar`: signs plain HTTP calls for a back end that cannot, and passes them on.

mod door;
mod kinds;
mod refusal;
mod relay;

use crate::failure::{Exit, Failure};
use crate::out::say;
use crate::processes;
use crate::reach::{CallerArgs, Reach, ReachArgs};
use clap::Args;
use door::{Door, Token};
use hyper_util::server::graceful::GracefulShutdown;
use kinds::Kind;
use portcullis_host::listen::{Bounds, accept};
use relay::Sidecar;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Calls at work at a time; one more is told to come again.
const PLACES: usize = 64;
/// How long calls that are at work may take to end once the process is to.
const END_WITHIN: Duration = Duration::from_secs(10);
const BOUNDS: Bounds = Bounds {
    connections: 256,
    per_peer: 256,
    headers_within: Duration::from_secs(10),
    answer_within: Duration::from_secs(30),
};

/// Sign plain HTTP calls for a back end that cannot, and pass them on to the gate
///
/// Listens on this host alone, at the gate's own paths, for whoever shows the token. Makes an act's
/// digest and challenge itself, signs as the back end, and gives the gate's answer back as it came.
/// `POST /v1/acts:draft` makes an act out of what is to be done. docs/guide/sidecar.md has examples.
///
/// It holds a key: run it beside the back end, as a user of its own, and let it pass on no more kinds of
/// act than the back end asks for.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SidecarArgs {
    /// Where to listen; a loopback address, and with port 0 a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7410")]
    listen: SocketAddr,
    /// A file, its owner's alone, with the token that callers show; made where there is none.
    /// sidecar.token in the network's folder otherwise
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Kinds of act to pass on
    #[arg(long, value_name = "KIND", value_delimiter = ',', default_values = kinds::USUAL)]
    allow: Vec<Kind>,
    /// End when whoever started this process ends
    #[arg(long, hide = true)]
    tied: bool,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl SidecarArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        processes::begin(self.tied)?;
        let reach = self.reach.open()?;
        let caller = self.caller.or_as("back-end").required(&reach)?;
        refuse_administrators(&reach, &caller.signer)?;
        if !self.listen.ip().is_loopback() {
            return Err(Failure::usage(
                format!("{} is not of this host alone", self.listen.ip()),
                "listen on 127.0.0.1 or [::1]: whoever reaches the sidecar has the back end's key",
            ));
        }
        let file = self.token.clone();
        let file = file.unwrap_or_else(|| reach.folder.join("sidecar.token"));
        let token = Token::open(&file, reach.machine.random.as_ref())?;
        let (listen, allow) = (self.listen, self.allow);
        let stopped = |error: io::Error| Failure::new(Exit::Stopped, error, "start it again");
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build().map_err(stopped)?;
        runtime.block_on(async {
            let unheard = |error: io::Error| {
                Failure::usage(format!("{listen}: {error}"), "name another with --listen")
            };
            let listener = TcpListener::bind(listen).await.map_err(unheard)?;
            let address = listener.local_addr().map_err(unheard)?;
            let sidecar = Arc::new(Sidecar::new(reach, caller, allow, PLACES));
            say(format_args!("sidecar  http://{address}"));
            say(format_args!("token    {}", file.display()));
            let door = Arc::new(Door::new(address, token));
            serve(listener, relay::router(sidecar, door))
                .await
                .map_err(stopped)
        })
    }
}

/// What a quorum decides is proposed and approved by people, each at a key of its own.
fn refuse_administrators(
    reach: &Reach,
    signer: &portcullis_client::RequestSigner,
) -> Result<(), Failure> {
    let mut administrators = reach.network.genesis().administrators.iter();
    if administrators.any(|member| member.factors.contains(&signer.factor())) {
        return Err(Failure::usage(
            "this is an administrator's key, and a sidecar signs for whoever has its token",
            "name the back end's with --as back-end, or --key FILE",
        ));
    }
    Ok(())
}

/// Until a signal comes; what is at work then may end.
async fn serve(listener: TcpListener, router: axum::Router) -> io::Result<()> {
    let mut end = signal(SignalKind::terminate())?;
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, BOUNDS, &connections) => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = end.recv() => {}
    }
    drop(listener);
    let _ = tokio::time::timeout(END_WITHIN, connections.shutdown()).await;
    Ok(())
}
