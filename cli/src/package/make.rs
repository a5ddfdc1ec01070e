//! `fengni evidence make`: from a node's proofs to one page.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::clock;
use fengni_client::history::{Whole, whole};
use fengni_core::LinePlace;
use fengni_core::certificate::CertificateFile;
use fengni_core::evidence::{Content, Evidence, FORMAT, Package};
use fengni_core::history::History;
use fengni_core::light::FinalHeader;
use fengni_core::proof::{Place, ProofError, Proven, StateProof};
use fengni_core::record::{CertificateType, CodeSet};
use fengni_core::shelf::Shelf;
use serde_json::json;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::history;
use crate::names::{Names, Target};
use crate::output::Output;
use crate::private;
use crate::wallet;

/// `fengni evidence make`.
#[derive(Args, Debug)]
#[command(
    after_help = "The page shows what the ledger proves. What the certificate says is in it only where its file is
given: claims that are not shown stay hidden behind their salts.

Exit codes: 0 complete; 1 the node's history is not; 3 could not run.

Examples:
  fengni evidence make 0/417 --out c1.html --network net
  fengni evidence make IDENTIFIER --out c1.html --certificate c1.cert --show 姓名 --show 准驾车型
  fengni-evidence c1.html --checkpoint DIGEST"
)]
pub(crate) struct MakeArgs {
    /// Identifier, or book/line
    target: String,
    /// The page to write; must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The holder's certificate file, to show what it says
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Field of the certificate to show; may be given several times
    #[arg(long = "show", value_name = "LABEL", requires = "certificate")]
    shown: Vec<String>,
    /// Show every field
    #[arg(long, requires = "certificate", conflicts_with = "shown")]
    show_all: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(crate) fn run(args: &MakeArgs, output: Output) -> Result<Ending> {
    private::must_be_new(&args.out)?;
    let mut connection = args.connect.open(None)?;
    let domain = connection.ledger.domain();
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let file = args.certificate.as_ref().map(|path| wallet::load_file(path, &domain)).transpose()?;
    let newest = connection.ledger.highest()?.0.height;
    // From where the certificate began, whichever of its lines was named.
    let Whole { history, proof, origin_proofs, .. } = whole(&mut connection.ledger, place, newest)?;
    let place = history.chapters.first().map_or(place, |chapter| chapter.place);
    let (proof, history) = prove(&mut connection, place, &proof)?;
    let headers = history::headers(&mut connection, &history)?;
    let found = FinalHeader { header: proof.header.clone(), certificate: proof.certificate.clone() };
    let checkpoint = connection.genesis.checkpoint();
    let handovers = connection.ledger.handovers(&checkpoint, &found)?;
    let content = file.map(|file| content(args, &mut connection, &file)).transpose()?;
    connection.save(output);
    let package = Package {
        format: FORMAT,
        software: format!("fengni {}", env!("CARGO_PKG_VERSION")),
        made: clock::now(),
        checkpoint,
        handovers,
        place,
        proof,
        origin: origin_proofs,
        headers,
        content,
    };
    let evidence = Evidence { package, timestamp: None };
    let findings = evidence.judge().context("what the node gave proves nothing")?;
    let defects: Vec<String> = findings.defects.iter().map(ToString::to_string).collect();
    if !defects.is_empty() {
        let facts = json!({ "result": "incomplete", "defects": defects });
        output.answer(&facts, || {
            format!(
                "incomplete, nothing was written: {}\nnext: ask another node, with --gateway URL",
                defects.join("; ")
            )
        });
        return Ok(Ending::Refused);
    }
    let page = evidence.page(&findings);
    Evidence::from_page(&page).context("the package is too large to be read again")?;
    // What was shown of the certificate is for those whom the holder hands it to.
    private::write(&args.out, page.as_bytes())?;
    let out = args.out.display();
    let facts = json!({
        "result": "complete",
        "file": args.out,
        "bytes": page.len(),
        "place": place,
        "events": findings.history.events(),
        "as_of_height": findings.header.height,
        "checkpoint_digest": findings.checkpoint,
        "imprint": evidence.package.imprint(),
    });
    output.answer(&facts, || {
        format!(
            "wrote {out}: {} events of {place}, as of block {}\njudged against checkpoint {}\nnext: fengni-evidence {out} --checkpoint {}",
            findings.history.events(),
            findings.header.height,
            findings.checkpoint,
            findings.checkpoint,
        )
    });
    Ok(Ending::Holds)
}

/// The history of a line, with the records of all who acted on it, of one state.
///
/// - `begun`: what proves the history alone.
fn prove(connection: &mut Connection, place: LinePlace, begun: &StateProof) -> Result<(StateProof, History)> {
    let reasons = Names::default().codes(connection)?.iter().position(|set: &CodeSet| set.name == "reasons");
    let reasons =
        reasons.and_then(|number| u32::try_from(number).ok()).map(|number| Place::Record(Shelf::Codes, number));
    let proven = begun.verify_under_final_header(&connection.ledger.domain())?;
    let mut places: BTreeSet<Place> = proven.places().copied().chain(reasons).collect();
    let acts = proven.places().filter_map(|found| match found {
        Place::Act(book, number) => proven.act(*book, *number).ok(),
        _ => None,
    });
    places.extend(acts.map(|act| Place::Record(Shelf::Members, act.by.0)));
    let signers = begun.certificate.signatures.iter();
    places.extend(signers.map(|signed| Place::Record(Shelf::Members, signed.member.0)));
    let places: Vec<Place> = places.into_iter().collect();
    let read = |proof: &StateProof, proven: Proven| {
        let history = History::read(&proven, place)?;
        match history.is_complete() {
            true => Ok((proof.clone(), history)),
            // The next node may give what this one left out.
            false => Err(ProofError::Missing(Place::Heads(place.book, place.line.page()))),
        }
    };
    Ok(connection.ledger.ask(|node| node.proof(&places, Some(begun.header.height)), read)?.value)
}

/// What the certificate says, as far as it is to be shown.
fn content(args: &MakeArgs, connection: &mut Connection, file: &CertificateFile) -> Result<Content> {
    let certificate = &file.certificate;
    let types = Names::default().types(connection)?.to_vec();
    let kind = types.iter().find(|kind: &&CertificateType| kind.code == file.certificate_type);
    let schema = kind.and_then(|kind| kind.schema(certificate.header().facts.schema));
    let schema = schema.context("the certificate's type is not on the ledger")?;
    let labels = || schema.claims.iter().map(|claim| claim.label.as_str()).collect::<Vec<_>>();
    let mut shown = Vec::new();
    for label in &args.shown {
        match (0..).zip(&schema.claims).find(|(_, claim)| claim.label == *label) {
            Some((place, _)) => shown.push(place),
            None => bail!("the type has no field {label}; next: name one of {}", labels().join(", ")),
        }
    }
    if args.show_all {
        shown = certificate.claims().iter().map(|claim| claim.index).collect();
    }
    Ok(Content::of(&connection.ledger.domain(), certificate, &shown))
}
