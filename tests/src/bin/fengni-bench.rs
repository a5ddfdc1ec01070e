//! fengni-bench: figures for this machine, as a table.

use std::path::Path;
use std::process::ExitCode;

use fengni_tests::bench::{
    Counters, Crowd, Extent, Length, Province, Sizes, Table, measure_ledger, measure_packs, measure_replay,
    measure_sharing, measure_subscribers, measure_upkeep, measure_verification, write_chain, write_pack,
};

const HELP: &str = "fengni-bench [--json] [--quick]
fengni-bench upkeep [--json] [--quick] [--certificates N] [--transactions N] [--blocks N]
fengni-bench replay [--json] [--quick]
fengni-bench replay --write FOLDER [--quick]
fengni-bench subscribers [--json] [--quick]
fengni-bench sharing [--json] [--quick]
fengni-bench packs --write FOLDER [--quick]

Measures verification on one core, then a network of four validators on loopback: its speed, then its upkeep.
upkeep measures that part alone: an observer joins a large register, a machine is lost and restored, a
validator falls far behind, old blocks are pruned. It takes some ten minutes, most of them to make blocks.
replay measures that part alone: a ledger of 200,000 transactions is made and run again; --write only makes it.
subscribers measures that part alone: the same load without subscribers, and with many who never listen.
sharing measures that part alone: departments use data by duty and by grants, through one provider's gateway.
packs --write measures nothing: it writes the pack of a province, for browsers.
--quick uses a tenth of the certificates: for trying out, not for quoting.

Examples:
  make bench
  fengni-bench upkeep --json
  fengni-bench packs --write province";

#[expect(clippy::print_stdout)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let (quick, json) = (flag("--quick"), flag("--json"));
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !matches!(*word, "--quick" | "--json")).collect();
    let province = if quick { Province::quick() } else { Province::full() };
    let extent = if quick { Extent::quick() } else { Extent::full() };
    let length = if quick { Length::quick() } else { Length::full() };
    let crowd = if quick { Crowd::quick() } else { Crowd::full() };
    let counters = if quick { Counters::quick() } else { Counters::full() };
    let table = match words[..] {
        [] => everything(quick, province, extent, length, crowd, counters),
        ["replay"] => Table { rows: measure_replay(length) },
        ["subscribers"] => Table { rows: measure_subscribers(crowd) },
        ["sharing"] => Table { rows: measure_sharing(counters) },
        ["packs", "--write", folder] => return written(folder, write_pack(province, Path::new(folder))),
        ["replay", "--write", folder] => return written(folder, write_chain(Path::new(folder), length)),
        ["upkeep", ref sizes @ ..] => match sized(extent, sizes) {
            Some(extent) => Table { rows: measure_upkeep(extent) },
            None => return help(&words),
        },
        _ => return help(&words),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&table).expect("a table is plain data"));
    } else {
        println!("\n{table}");
    }
    ExitCode::SUCCESS
}

fn written(folder: &str, result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::from(3)
        }
    }
}

fn everything(
    quick: bool,
    province: Province,
    extent: Extent,
    length: Length,
    crowd: Crowd,
    counters: Counters,
) -> Table {
    eprintln!("verification");
    let mut table = Table { rows: measure_verification() };
    eprintln!("trust packs");
    table.rows.extend(measure_packs(province));
    table.rows.extend(measure_replay(length));
    table.rows.extend(measure_ledger(if quick { Sizes::quick() } else { Sizes::full() }));
    table.rows.extend(measure_subscribers(crowd));
    table.rows.extend(measure_sharing(counters));
    table.rows.extend(measure_upkeep(extent));
    table
}

/// The extent with what the arguments change of it; `None` where they do not say it.
fn sized(mut extent: Extent, arguments: &[&str]) -> Option<Extent> {
    let (pairs, rest) = arguments.as_chunks::<2>();
    for [name, number] in pairs {
        match *name {
            "--certificates" => extent.certificates = number.parse().ok().filter(|count| *count > 0)?,
            "--transactions" => extent.transactions = number.parse().ok()?,
            "--blocks" => extent.blocks = number.parse().ok()?,
            _ => return None,
        }
    }
    let suspended_once = extent.transactions / 2 <= extent.certificates;
    (rest.is_empty() && suspended_once).then_some(extent)
}

#[expect(clippy::print_stdout)]
fn help(words: &[&str]) -> ExitCode {
    println!("{HELP}");
    ExitCode::from(u8::from(!words.contains(&"--help")) * 3)
}
