//! The server and its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    patchbay::server::command::main()
}
