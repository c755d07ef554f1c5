//! The command: parse, run, exit code.

fn main() -> std::process::ExitCode {
    sdcompose::cli::main()
}
