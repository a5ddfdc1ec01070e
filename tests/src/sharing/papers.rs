//! What HRS shares with YHD in the stories, as the files that people write, and the data behind it.

use std::path::Path;
use std::process::Command;

use super::registries::REQUEST;
pub use super::registries::{HOUSING, MONTHS};
use super::stage::TABLE;

/// Whom the stories are about: 林晓禾.
pub const HOLDER: &str = "319901199003070029";
/// The case (办件编号) of her application.
pub const CASE: &str = "YS20260309000317";
/// Another case.
pub const OTHER_CASE: &str = "YS20260309000318";

/// Q7, good for years: these stories live on the day on which they are told.
pub fn request() -> String {
    REQUEST.replace("2026-03-06", "2026-01-01").replace("2026-12-31", "2036-12-31")
}

/// G1: three uses.
pub const GRANT: &str = r#"
contact = "12345, 住房窗口"
item = 0
case = "YS20260309000317"
method = "自动核验,不留存"
days = 31
[[kinds]]
resource = 0
fields = ["参保月数"]
mode = "verify"
uses = 3
"#;

/// What a gateway is told of its data, which [`write_data`] writes.
pub fn data() -> String {
    format!("[database]\nsqlite = \"insured.db\"\n{TABLE}[receipts]\nbatch_secs = 1\n")
}

/// The department's data: the holder and somebody else.
pub(super) fn insured() -> String {
    format!(
        "CREATE TABLE insured (id_number text PRIMARY KEY, months integer);
         INSERT INTO insured VALUES ('{HOLDER}', 41), ('319901194905120133', 12)"
    )
}

/// Writes HRS's own data into its gateway's folder, in SQLite.
///
/// # Errors
/// Why it could not be written.
pub fn write_data(folder: &Path) -> Result<(), String> {
    let written = Command::new("sqlite3").arg(folder.join("insured.db")).arg(insured()).output();
    let written = written.map_err(|error| format!("sqlite3: {error}; next: make setup"))?;
    if written.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&written.stderr).into_owned()) }
}
