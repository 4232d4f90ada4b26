//! `backstitch schema APP_DIR`.

use backstitch::app::AppConfig;
use backstitch::engine::sdl;

use crate::Failure;
use crate::args::Schema;

/// Prints the SDL; what the importer noticed goes to standard error.
pub(crate) fn run(args: &Schema) -> Result<(), Failure> {
    let (config, mut report) = AppConfig::import(&args.directory).map_err(Failure::negative)?;
    let sdl = sdl(&config, &mut report);
    for problem in report.problems() {
        eprintln!("{problem}");
    }
    if !sdl.is_empty() {
        println!("{}", sdl.trim_end());
    }
    Ok(())
}
