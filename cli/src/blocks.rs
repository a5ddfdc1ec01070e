//! Blocks from nodes or from a stream, for whoever reads a ledger from its beginning.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_audit::{Source, SourceError, StreamSource};
use fengni_client::gateway::Gateway;
use fengni_client::transport::HttpOptions;
use fengni_core::export::ExportedBlock;
use fengni_core::{Block, Digest, Domain, Height};
use fengni_genesis::Genesis;
use fengni_state::recovery_of;

/// How often a busy node is asked again.
const ATTEMPTS: u32 = 6;

/// Where blocks come from.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct BlocksFrom {
    /// URL of the gateway whose blocks are taken
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// Stream of blocks, as fengni export blocks and fengni-node export write it; - for standard input
    #[arg(long, value_name = "FILE")]
    blocks: Option<String>,
}

impl BlocksFrom {
    /// What the blocks come from, in words.
    pub(crate) fn name(&self) -> &str {
        match (&self.gateway, self.blocks.as_deref()) {
            (Some(url), _) => url,
            (None, Some("-")) => "standard input",
            (None, file) => file.unwrap_or_default(),
        }
    }

    /// The blocks after a height, and the last one where that is known.
    pub(crate) fn open(
        &self,
        genesis: &Genesis,
        after: Height,
        to: Option<Height>,
    ) -> Result<(Box<dyn Source>, Option<Height>)> {
        if let Some(file) = &self.blocks {
            let source = StreamSource::open(open_stream(file)?, genesis.domain(), after)
                .with_context(|| self.name().to_owned())?;
            return Ok((Box::new(source), to));
        }
        let gateway = Gateway::http(self.gateway.as_slice(), &HttpOptions::default())?;
        let last = match to {
            Some(to) => to,
            None => newest(&gateway)?,
        };
        Ok((Box::new(GatewayBlocks::new(gateway, genesis, after, last)?), Some(last)))
    }
}

/// A stream of blocks to read.
pub(crate) fn open_stream(file: &str) -> Result<Box<dyn Read + Send>> {
    if file == "-" {
        return Ok(Box::new(BufReader::with_capacity(1 << 18, io::stdin())));
    }
    let opened = File::open(Path::new(file)).with_context(|| file.to_owned())?;
    Ok(Box::new(BufReader::with_capacity(1 << 18, opened)))
}

/// The newest height of a node: whatever it is, the blocks judge it in the end.
pub(crate) fn newest(gateway: &Gateway) -> Result<Height> {
    Ok(gateway.ask(|node| Ok(node.latest_header()?.0.height))?.value)
}

/// Blocks that nodes serve, with what stands beside them in a stream. Rule J-3.
pub(crate) struct GatewayBlocks {
    gateway: Gateway,
    domain: Domain,
    next: Height,
    last: Height,
    /// Digest of the validators of the next block.
    deciders: Digest,
}

impl GatewayBlocks {
    /// The blocks after a height, up to a last one.
    pub(crate) fn new(gateway: Gateway, genesis: &Genesis, after: Height, last: Height) -> Result<Self> {
        let domain = genesis.domain();
        let deciders = match after {
            Height(0) => genesis.validators().digest(&domain),
            after => gateway.ask(|node| Ok(node.header(after)?.0.next_validators))?.value,
        };
        Ok(Self { gateway, domain, next: after.next(), last, deciders })
    }

    fn fetch(&mut self) -> Result<ExportedBlock> {
        let height = self.next;
        let (block, certificate) = patiently(|| self.gateway.ask(|node| node.block(height)))?.value;
        let mut exported = ExportedBlock { height, certificate, next: None, terms: None, block };
        // Bytes that are no block are handed on as they are: whoever reads them says so.
        if let Ok(block) = Block::decode(&exported.block.0) {
            let since = Height(height.0 - 1);
            if let Some(handover) = recovery_of(&block) {
                let found = patiently(|| self.gateway.ask(|node| node.recoveries(since)))?.value;
                let found = found.into_iter().find(|it| it.handover.plan.height == since);
                exported.terms = found.map(|it| it.last);
                let named = handover.plan.validators().map(|set| set.digest(&self.domain));
                self.deciders = named.unwrap_or(self.deciders);
            }
            if block.header.next_validators != self.deciders {
                let found = patiently(|| self.gateway.ask(|node| node.handovers(since)))?.value;
                exported.next = found.into_iter().find(|it| it.header.height == height).map(|it| it.next);
                self.deciders = block.header.next_validators;
            }
        }
        self.next = height.next();
        Ok(exported)
    }
}

impl Source for GatewayBlocks {
    fn next(&mut self) -> Result<Option<ExportedBlock>, SourceError> {
        if self.next > self.last {
            return Ok(None);
        }
        self.fetch().map(Some).map_err(|error| SourceError::Trouble(error.into()))
    }
}

/// Asks again where a node is busy.
fn patiently<T>(
    ask: impl Fn() -> Result<T, fengni_client::gateway::GatewayError>,
) -> Result<T, fengni_client::gateway::GatewayError> {
    let mut pause = Duration::from_millis(100);
    for _ in 1..ATTEMPTS {
        match ask() {
            Err(error) if error.problem().is_none_or(|problem| problem.is_passing()) => std::thread::sleep(pause),
            answer => return answer,
        }
        pause = pause.saturating_mul(2);
    }
    ask()
}
