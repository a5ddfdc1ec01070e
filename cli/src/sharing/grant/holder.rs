//! What a holder does with a grant: reading what is asked for, signing, keeping, withdrawing.

use std::path::Path;

use anyhow::{Context as _, Result};
use fengni_client::sharing::grant::{self, Ask, GrantStanding, GrantingError, PendingGrant};
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::wire::Withdrawal;
use fengni_client::transport::HttpOptions;
use fengni_core::record::{KeyPurpose, Member, Resource};
use fengni_core::sharing::{GrantFile, Granted, GrantedKind};
use serde_json::json;

use super::super::holder::HolderArgs;
use super::super::numbered;
use super::{UNKNOWN, named, read, standing_words, write};
use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::Names;
use crate::output::Output;
use crate::private;
use crate::wallet::confirmed;

/// The notice as the holder reads it (HLD-04). Nobody agrees to what the ledger does not describe yet.
fn notice(ask: &Ask, connection: &mut Connection) -> Result<String> {
    let mut names = Names::default();
    let member: Member = connection.ledger.record(ask.grantee.0)?;
    let types = names.types(connection)?.to_vec();
    let resources: Vec<(u32, Resource)> = numbered(connection)?;
    let kind = |kind: &GrantedKind| match &kind.what {
        Granted::Resource { resource, fields, mode } => {
            let terms = &resources.get(resource.0 as usize).context(UNKNOWN)?.1.terms;
            Ok(format!("  {}: {}; {}, {} times", terms.name, named(terms, fields)?, mode.word(), kind.uses))
        }
        Granted::Showing { certificate_type } => {
            let shown = types.get(certificate_type.0 as usize).context(UNKNOWN)?;
            Ok(format!("  {}: shown, {} times", shown.name, kind.uses))
        }
    };
    let case = ask.case.as_deref().map_or_else(|| "any case".to_owned(), |case| format!("case {case}"));
    Ok(format!(
        "recipient 接收方: {}\ncontact 联系方式: {}\npurpose 目的: {}, item {}, {case}\nmethod 方式: {}\nkinds 种类:\n{}\nuntil: {}",
        member.name,
        ask.contact,
        ask.purpose,
        ask.item,
        ask.method,
        ask.kinds.iter().map(kind).collect::<Result<Vec<_>>>()?.join("\n"),
        ask.until.show(),
    ))
}

pub(super) fn sign(
    (ask, out, keep): (&Path, &Path, &Path),
    holder: &HolderArgs,
    (separate_consent, yes): (bool, bool),
    connect: &ConnectArgs,
    output: Output,
) -> Result<Ending> {
    let ask: Ask = read(ask, "what a department asks for")?;
    [out, keep].into_iter().try_for_each(private::must_be_new)?;
    let mut connection = connect.open(None)?;
    let (file, key) = holder.read(&connection)?;
    ask.check(key.public())?;
    let notice = notice(&ask, &mut connection)?;
    let disclosed = holder.disclosed(&mut connection, &file)?;
    if !yes && !confirmed(&format!("{notice}\nDo you agree 同意吗?"), output)? {
        output.answer(&json!({ "result": "refused" }), || "not agreed: nothing was signed".to_owned());
        return Ok(Ending::Refused);
    }
    let domain = connection.ledger.domain();
    let pending = grant::sign(&domain, &ask, separate_consent, (&file, &key), &disclosed)?;
    write(keep, &pending)?;
    write(out, &pending.signed)?;
    output.answer(&json!({ "signed": out, "kept": keep }), || {
        format!("{notice}\nsigned; next: hand {} to the department, and keep {}", out.display(), keep.display())
    });
    Ok(Ending::Holds)
}

pub(super) fn keep(pending: &Path, out: &Path, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let pending: PendingGrant = read(pending, "what signing a grant kept")?;
    private::must_be_new(out)?;
    let mut connection = connect.open(None)?;
    let file = match pending.keep(&mut connection.ledger) {
        Ok(file) => file,
        Err(error @ GrantingError::NotRecorded) => {
            output.answer(&json!({ "result": "undecided", "reason": error.to_string() }), || {
                format!("undecided: {error}")
            });
            return Ok(Ending::Undecided);
        }
        Err(error) => return Err(error.into()),
    };
    write(out, &file)?;
    output
        .answer(&json!({ "kept": out, "place": file.place }), || format!("kept: {} is {}", out.display(), file.place));
    Ok(Ending::Holds)
}

pub(super) fn through_member(path: &Path, home: &Path, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let file: GrantFile = read(path, "a holder's grant")?;
    let acting = ActingArgs::of(home, connect);
    let asked = |connection: &mut Connection, _: &mut Names| {
        let operation = grant::withdraw(&connection.ledger.domain(), &file);
        Ok(Asked { purpose: KeyPurpose::Application, ..operation.into() })
    };
    acting.carry_out(output, asked, |_| format!("the grant {} is withdrawn", file.place))
}

pub(super) fn through_provider(path: &Path, url: &str, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let file: GrantFile = read(path, "a holder's grant")?;
    let mut connection = connect.open(None)?;
    let domain = connection.ledger.domain();
    let provider = Provider::http(url, &HttpOptions::default())?;
    let content = file.content.digest(&domain);
    let withdrawal = Withdrawal { place: file.place, content, secret: file.secret.clone() };
    let said = provider.withdraw(&withdrawal).map_err(|trouble| anyhow::anyhow!("{url}: {trouble}"))?;
    // The provider's word is not enough: the ledger says whether it is withdrawn.
    let standing = grant::standing(&mut connection.ledger, &file.present(&domain))?;
    let is_withdrawn = standing == GrantStanding::Withdrawn;
    output.answer(&json!({ "withdrawn": is_withdrawn, "transaction": said.transaction }), || {
        let next = if is_withdrawn { "" } else { "; next: fengni grant show, or withdraw through another member" };
        format!("grant {}: {}{next}", file.place, standing_words(standing))
    });
    Ok(if is_withdrawn { Ending::Holds } else { Ending::Undecided })
}
