//! What a department does with a grant: it says what it asks for, and puts on the ledger what was signed.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::clock;
use fengni_client::sharing::grant::{self, Ask, SignedGrant};
use fengni_core::book::Subject;
use fengni_core::record::{KeyPurpose, Mode, Resource, ServiceItem};
use fengni_core::sharing::{Granted, GrantedKind};
use fengni_core::{Millis, ResourceNumber};
use serde::Deserialize;
use serde_json::json;

use super::super::{field, numbered, read_terms};
use super::{read, write};
use crate::admin::ActingArgs;
use crate::connect::Connection;
use crate::ending::Ending;
use crate::issue::own_book;
use crate::names::Names;
use crate::output::Output;
use crate::private;

/// Terms as people write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    contact: String,
    item: u32,
    case: Option<String>,
    method: String,
    days: u32,
    kinds: Vec<KindEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindEntry {
    resource: Option<u32>,
    #[serde(default)]
    fields: Vec<String>,
    mode: Option<Mode>,
    showing: Option<String>,
    uses: u32,
}

pub(super) fn ask(path: &Path, out: &Path, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let file: TermsFile = read_terms(path)?;
    let mut connection = acting.open()?;
    let mut names = Names::default();
    let item: ServiceItem = connection.ledger.record(file.item)?;
    let resources: Vec<(u32, Resource)> = numbered(&mut connection)?;
    let mut kinds = Vec::new();
    for entry in &file.kinds {
        kinds.push(GrantedKind { what: granted(entry, &resources, &mut connection, &mut names)?, uses: entry.uses });
    }
    let from = clock::now();
    let until = Millis(from.0.saturating_add(u64::from(file.days).saturating_mul(86_400_000)));
    let ask = Ask {
        network: connection.ledger.domain().network,
        grantee: acting.member()?,
        contact: file.contact,
        purpose: item.terms.purpose,
        item: item.terms.code,
        case: file.case,
        method: file.method,
        kinds,
        from,
        until,
    };
    write(out, &ask)?;
    connection.save(output);
    output.answer(&json!({ "ask": out }), || {
        format!("wrote {}; next: the holder reads it and signs: fengni grant sign", out.display())
    });
    Ok(Ending::Holds)
}

fn granted(
    entry: &KindEntry,
    resources: &[(u32, Resource)],
    connection: &mut Connection,
    names: &mut Names,
) -> Result<Granted> {
    match (entry.resource, &entry.showing) {
        (Some(number), None) => {
            let found = resources.get(usize::try_from(number)?);
            let (_, resource) = found.context("there is no such resource; next: fengni resource list")?;
            let fields = entry.fields.iter().map(|name| field(&resource.terms, name)).collect::<Result<Vec<_>>>();
            let mut fields = fields?;
            fields.sort_unstable();
            let mode = entry.mode.context("a kind of a resource names its mode")?;
            Ok(Granted::Resource { resource: ResourceNumber(number), fields, mode })
        }
        (None, Some(kind)) => Ok(Granted::Showing { certificate_type: names.certificate_type(connection, kind)? }),
        _ => bail!("a kind names a resource or a type of certificates to be shown, one of them"),
    }
}

pub(super) fn record(signed: &Path, out: &Path, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let grant: SignedGrant = read(signed, "a signed grant")?;
    private::must_be_new(out)?;
    let mut connection = acting.open()?;
    let book = match own_book(&mut connection, acting.actor(), Subject::Grants, None)? {
        Ok(book) => book,
        Err(reason) => {
            output.answer(&json!({ "result": "refused", "reason": reason }), || format!("refused: {reason}"));
            return Ok(Ending::Refused);
        }
    };
    let signers = acting.actor().signers(KeyPurpose::Application, false)?;
    let submitter = connection.submitter()?;
    let presented = grant::record(&mut connection.ledger, &submitter, &signers, book, &grant)?;
    write(out, &presented)?;
    connection.save(output);
    output.answer(&json!({ "result": "done", "place": presented.place, "grant": out }), || {
        format!("the grant is {}; next: fengni access ask; the holder finds it with fengni grant keep", presented.place)
    });
    Ok(Ending::Holds)
}
