//! The holder's side: a certificate file, its key, and the claims that name its holder.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_core::certificate::CertificateFile;
use fengni_core::sharing::Identity;
use fengni_core::{SecretKey, record::CertificateType};

use crate::connect::Connection;
use crate::private;
use crate::wallet::load_file;

/// By which certificate a holder says who they are.
#[derive(Args, Clone, Debug)]
pub(crate) struct HolderArgs {
    /// Certificate file by which the holder says who they are
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// The holder's key file; else the certificate's name with the ending .key
    #[arg(long = "holder-key", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Field that names the holder, by label; may be given several times
    #[arg(long, value_name = "LABEL")]
    disclose: Vec<String>,
}

impl HolderArgs {
    /// The certificate file and the holder's key.
    pub(crate) fn read(&self, connection: &Connection) -> Result<(CertificateFile, SecretKey)> {
        let file = load_file(&self.certificate, &connection.ledger.domain())?;
        let key = self.key.clone().unwrap_or_else(|| self.certificate.with_extension("key"));
        Ok((file, private::read_key(&key)?))
    }

    /// Numbers of the fields that name the holder, rising.
    pub(crate) fn disclosed(&self, connection: &mut Connection, file: &CertificateFile) -> Result<Vec<u16>> {
        let types: Vec<CertificateType> = connection.ledger.shelf()?;
        let kind = types.iter().find(|kind| kind.code == file.certificate_type);
        let schema = usize::from(file.certificate.header().facts.schema).checked_sub(1);
        let schema = kind.zip(schema).and_then(|(kind, version)| kind.schemas.get(version));
        let schema = schema.context("the type of this certificate is not on the ledger")?;
        let find = |label: &String| {
            let found = schema.claims.iter().position(|claim| claim.label == *label);
            found.with_context(|| format!("the type has no field {label}; next: fengni types"))
        };
        let mut fields = Vec::new();
        for label in &self.disclose {
            fields.push(u16::try_from(find(label)?)?);
        }
        fields.sort_unstable();
        fields.dedup();
        Ok(fields)
    }

    /// Who the holder is.
    pub(crate) fn identity(&self, connection: &mut Connection, file: &CertificateFile) -> Result<Identity> {
        let disclosed = self.disclosed(connection, file)?;
        Ok(Identity::of(&connection.ledger.domain(), file, &disclosed)?)
    }
}
