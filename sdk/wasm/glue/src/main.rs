//! Makes the JavaScript and the types beside a WebAssembly file: `fengni-wasm-glue IN.wasm FOLDER NAME`.
//!
//! The crate behind wasm-bindgen's command line, called directly, so that its version is the lock
//! file's and nothing has to be installed.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder, name] = &arguments[..] else {
        eprintln!("usage: fengni-wasm-glue IN.wasm FOLDER NAME");
        return ExitCode::from(3);
    };
    match make(input, folder, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{input}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One module that browsers load by its address and Node from bytes.
fn make(input: &str, folder: &str, name: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name).typescript(true).omit_default_module_path(false);
    let bindgen = bindgen.web(true).map_err(|error| error.to_string())?;
    bindgen.generate(folder).map_err(|error| error.to_string())
}
