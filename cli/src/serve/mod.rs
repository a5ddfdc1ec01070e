//! `fengni serve`: issue, act and verify over JSON, for back offices in other languages.
//!
//! It listens on this host alone and asks for a token, because whoever reaches it acts with the
//! department's keys. What it answers is what the command line answers.
//!
//! ```text
//! $ fengni serve --home net/members/psb --listen 127.0.0.1:8700 &
//! $ curl -s -H "Authorization: Bearer $(cat net/members/psb/serve.token)" \
//!        -H 'Content-Type: application/json' http://127.0.0.1:8700/v1/verify \
//!        -d '{"text": "FN1:...", "purpose": "交通执法"}'
//! ```

mod problem;
mod routes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::random::random;
use fengni_core::Suite;
use fengni_core::record::KeyPurpose;
use tokio::net::TcpListener;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::output::Output;
use crate::private;
use crate::signing::ActorArgs;

/// Bytes of a request, at most: some 50,000 rows.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// `fengni serve`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Routes: POST /v1/issue, POST /v1/standing, POST /v1/verify, GET /v1/history/{id}, GET /openapi.json,
GET /healthz. All but the last two ask for the token, which is made on the first start.

Examples:
  fengni serve --home net/members/psb --listen 127.0.0.1:8700
  curl -s -H \"Authorization: Bearer $(cat net/members/psb/serve.token)\" \\
       -H 'Content-Type: application/json' http://127.0.0.1:8700/v1/verify \\
       -d '{\"text\": \"FN1:...\", \"purpose\": \"101\"}'"
)]
pub(crate) struct ServeArgs {
    /// Address on this host; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
    pub(crate) listen: SocketAddr,
    /// File of the token that callers send; else serve.token in --home
    #[arg(long, value_name = "FILE")]
    pub(crate) token: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
}

/// The service: who acts, where, and what callers must know.
pub(crate) struct Service {
    args: ServeArgs,
    token: String,
    /// One act at a time: an archive belongs to one program.
    acting: Mutex<()>,
}

impl Service {
    /// Reads the token, or makes one.
    pub(crate) fn new(args: ServeArgs) -> Result<Self> {
        if !args.listen.ip().is_loopback() {
            bail!(
                "{} is not of this host alone, and whoever reaches the service acts with the department's keys; \
                 next: --listen 127.0.0.1:{}",
                args.listen,
                args.listen.port()
            );
        }
        let path = args.token.clone().unwrap_or_else(|| args.actor.home.join("serve.token"));
        let token = load_token(&path)?;
        Ok(Self { args, token, acting: Mutex::new(()) })
    }

    /// Whether a caller knows the token. Hashes are compared, so that time tells nothing.
    fn knows(&self, token: &str) -> bool {
        let hash = |text: &str| Suite::Standard.hash(&[b"fengni serve", text.as_bytes()]);
        hash(token) == hash(&self.token)
    }

    /// A connection of its own for each request: what was proven is in the member's folder.
    fn connect(&self) -> Result<Connection> {
        self.args.connect.open(Some(&self.args.actor.home))
    }

    fn act(&self) -> MutexGuard<'_, ()> {
        self.acting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token that only the owner of the folder can read.
fn load_token(path: &Path) -> Result<String> {
    if !path.exists() {
        private::write(path, (hex::encode(random::<32>()?) + "\n").as_bytes())?;
    }
    let text = String::from_utf8(private::read(path)?).with_context(|| format!("{} is no token", path.display()))?;
    let token = text.trim().to_owned();
    if token.len() < 32 {
        bail!("{} holds less than 32 characters; next: remove it, and a new token is made", path.display());
    }
    Ok(token)
}

pub(crate) fn run(args: &ServeArgs, output: Output) -> Result<Ending> {
    // Whoever starts the service is asked for a passphrase, not whoever sends the first request.
    if args.actor.has(KeyPurpose::Issuing)? {
        args.actor.signers(KeyPurpose::Issuing, false)?;
    }
    let service = Arc::new(Service::new(args.clone())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.with_context(|| args.listen.to_string())?;
        let address = listener.local_addr()?;
        output.answer(&serde_json::json!({ "listening": address }), || {
            format!("listening on http://{address}, see http://{address}/openapi.json; Ctrl-C stops it")
        });
        serve(listener, service, async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
    })?;
    Ok(Ending::Holds)
}

/// Serves until `stop` completes.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    Ok(axum::serve(listener, routes::router(service)).with_graceful_shutdown(stop).await?)
}

#[cfg(test)]
mod tests;
