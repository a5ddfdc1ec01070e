//! What HRS shares with YHD in the stories, as the files that people write, and the data behind it.

use std::path::Path;
use std::process::Command;

pub use super::registries::{HOUSING, MONTHS};

/// Whom the stories are about: 林晓禾.
pub const HOLDER: &str = "319901199003070029";
/// The case (办件编号) of her application.
pub const CASE: &str = "YS20260309000317";
/// Another case.
pub const OTHER_CASE: &str = "YS20260309000318";

/// Q7, good for years: these stories live on the day on which they are told.
pub const REQUEST: &str = r#"
resource = 0
item = 0
basis = "authorisation"
law = "住房补贴办法(示例)"
fields = ["参保月数"]
modes = ["verify"]
population = "申请人"
frequency = "一件一次"
measures = "用后即删"
from = "2026-01-01"
until = "2036-12-31"
"#;

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

/// The tables of a gateway's configuration behind which [`write_data`] lies.
pub const DATA: &str = "[database]\nsqlite = \"insured.db\"\n[resources.0]\ntable = \"insured\"\nsubject = \"id_number\"\n\
     fields = [{ column = \"months\", kind = \"number\" }]\n[receipts]\nbatch_secs = 1\n";

/// An access under a request: whether the holder was insured for 36 months.
///
/// - `grant`: the department's file of it, seen from the access's own.
pub fn access(request: u32, case: &str, grant: &str) -> String {
    format!(
        "request = {request}\ncase = \"{case}\"\nmode = \"verify\"\nfields = [\"参保月数\"]\n\
         [[questions]]\nsubject = \"{HOLDER}\"\ngrant = \"{grant}\"\ntests = {{ \"参保月数\" = \">=36\" }}\n"
    )
}

/// Writes HRS's own data into its gateway's folder: the holder and somebody else, in SQLite.
///
/// # Errors
/// Why it could not be written.
pub fn write_data(folder: &Path) -> Result<(), String> {
    let insured = format!(
        "CREATE TABLE insured (id_number text PRIMARY KEY, months integer); \
         INSERT INTO insured VALUES ('{HOLDER}', 41), ('319901194905120133', 12)"
    );
    let written = Command::new("sqlite3").arg(folder.join("insured.db")).arg(insured).output();
    let written = written.map_err(|error| format!("sqlite3: {error}; next: make setup"))?;
    if written.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&written.stderr).into_owned()) }
}
