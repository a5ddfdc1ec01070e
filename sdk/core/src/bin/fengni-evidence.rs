//! `fengni-evidence`: checks an evidence package with nothing but this crate. No network, no files
//! besides the one it is given; it still builds when everything around it is gone.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use fengni_core::Digest;
use fengni_core::evidence::Evidence;

const HELP: &str = "Checks an evidence package 核验存证证明, without any network.

Usage: fengni-evidence FILE --checkpoint DIGEST

  FILE                 the page that was handed over
  --checkpoint DIGEST  the checkpoint's digest as the network published it, 64 hexadecimal digits:
                       take it from there and not from the page

Exit codes: 0 every word is proven; 1 refused, or incomplete; 2 undecided: whether the checkpoint is
the network's is yours to say; 3 could not run.

Example:
  fengni-evidence c1.html --checkpoint 5e0f...
";

/// What the command line asks for.
struct Asked {
    file: String,
    checkpoint: Option<Digest>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        return said(0, HELP);
    }
    match parse(&arguments) {
        Ok(asked) => match std::fs::read_to_string(&asked.file) {
            Ok(page) => check(&page, asked.checkpoint),
            Err(error) => said(3, &format!("{}: {error}", asked.file)),
        },
        Err(wrong) => said(3, &format!("{wrong}\n\n{HELP}")),
    }
}

fn parse(arguments: &[String]) -> Result<Asked, String> {
    let (mut file, mut checkpoint) = (None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--checkpoint" => {
                let digits = rest.next().ok_or("--checkpoint wants 64 hexadecimal digits")?;
                checkpoint = Some(Digest::from_hex(digits).ok_or(format!("{digits} is no digest"))?);
            }
            other if other.starts_with('-') => return Err(format!("{other} is no option")),
            other if file.is_none() => file = Some(other.to_owned()),
            other => return Err(format!("{other}: one file at a time")),
        }
    }
    Ok(Asked { file: file.ok_or("name a file")?, checkpoint })
}

fn check(page: &str, checkpoint: Option<Digest>) -> ExitCode {
    let evidence = match Evidence::from_page(page) {
        Ok(evidence) => evidence,
        Err(error) => return said(1, &format!("refused: {error}")),
    };
    let findings = match evidence.judge() {
        Ok(findings) => findings,
        Err(error) => return said(1, &format!("refused: the package proves nothing: {error}")),
    };
    let mut text = String::new();
    if checkpoint.is_some_and(|checkpoint| checkpoint != findings.checkpoint) {
        return said(1, &format!("refused: the package is judged against another checkpoint, {}", findings.checkpoint));
    }
    for defect in &findings.defects {
        text.push_str(&format!("incomplete: {defect}\n"));
    }
    let same = evidence.page(&findings) == page;
    if !same {
        text.push_str(
            "refused: the page's words are not those of its proof, or another version of this program wrote them\n",
        );
    }
    text.push_str(&format!(
        "{}\nsigned by {} validators, judged against checkpoint {}\n",
        findings.summary(),
        findings.signers.len(),
        findings.checkpoint,
    ));
    if let Some(content) = &findings.content {
        text.push_str(&format!("shown is {}, of {}\n", content.identifier, content.place));
    }
    match &evidence.timestamp {
        Some(_) => text.push_str(&format!(
            "bytes said to be a timestamp from outside are attached and not judged here; its imprint is to be {}\n",
            evidence.package.imprint()
        )),
        None => text.push_str("no timestamp from outside is attached\n"),
    }
    if !findings.holds() || !same {
        return said(1, &text);
    }
    match checkpoint {
        Some(_) => {
            said(0, &format!("every word is proven, but the maker's own: software, time of making, timestamp\n{text}"))
        }
        None => said(
            2,
            &format!(
                "undecided: everything follows from the checkpoint; next: compare its digest with the one that the network published and give it with --checkpoint\n{text}"
            ),
        ),
    }
}

fn said(code: u8, text: &str) -> ExitCode {
    let text = text.trim_end();
    let written = if code == 3 { writeln!(std::io::stderr(), "{text}") } else { writeln!(std::io::stdout(), "{text}") };
    if written.is_err() { ExitCode::from(3) } else { ExitCode::from(code) }
}
