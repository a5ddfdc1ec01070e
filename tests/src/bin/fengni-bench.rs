//! fengni-bench: figures for this machine, as a table.

use std::process::ExitCode;

use fengni_tests::bench::{Province, Sizes, Table, measure_ledger, measure_packs, measure_verification};

const HELP: &str = "fengni-bench [--json] [--quick]

Measures verification on one core, then a network of four validators on loopback.
--quick uses a tenth of the certificates: for trying out, not for quoting.

Example:
  make bench";

#[expect(clippy::print_stdout)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| !matches!(argument.as_str(), "--json" | "--quick")) {
        println!("{HELP}");
        return ExitCode::from(u8::from(!arguments.iter().any(|argument| argument == "--help")) * 3);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let sizes = if quick { Sizes::quick() } else { Sizes::full() };
    eprintln!("verification");
    let mut table = Table { rows: measure_verification() };
    eprintln!("trust packs");
    table.rows.extend(measure_packs(if quick { Province::quick() } else { Province::full() }));
    table.rows.extend(measure_ledger(sizes));
    if arguments.iter().any(|argument| argument == "--json") {
        println!("{}", serde_json::to_string_pretty(&table).expect("a table is plain data"));
    } else {
        println!("\n{table}");
    }
    ExitCode::SUCCESS
}
