//! fengni-bench: figures for this machine, as a table.

use std::path::Path;
use std::process::ExitCode;

use fengni_tests::bench::{Province, Sizes, Table, measure_ledger, measure_packs, measure_verification, write_pack};

const HELP: &str = "fengni-bench [--json] [--quick]
fengni-bench packs --write FOLDER [--quick]

Measures verification on one core, then a network of four validators on loopback.
packs --write measures nothing: it writes the pack of a province, for browsers.
--quick uses a tenth of the certificates: for trying out, not for quoting.

Examples:
  make bench
  fengni-bench packs --write province";

#[expect(clippy::print_stdout)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let province = if quick { Province::quick() } else { Province::full() };
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--quick").collect();
    if let ["packs", "--write", folder] = words[..] {
        return match write_pack(province, Path::new(folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{folder}: {error}");
                ExitCode::from(3)
            }
        };
    }
    if arguments.iter().any(|argument| !matches!(argument.as_str(), "--json" | "--quick")) {
        println!("{HELP}");
        return ExitCode::from(u8::from(!arguments.iter().any(|argument| argument == "--help")) * 3);
    }
    let sizes = if quick { Sizes::quick() } else { Sizes::full() };
    eprintln!("verification");
    let mut table = Table { rows: measure_verification() };
    eprintln!("trust packs");
    table.rows.extend(measure_packs(province));
    table.rows.extend(measure_ledger(sizes));
    if arguments.iter().any(|argument| argument == "--json") {
        println!("{}", serde_json::to_string_pretty(&table).expect("a table is plain data"));
    } else {
        println!("\n{table}");
    }
    ExitCode::SUCCESS
}
