//! `copy`: a file from one server to another.

use std::time::Instant;

use super::{file_of, report};
use crate::cli::Copy;
use crate::context::Context;
use crate::failure::Failure;
use crate::session::{Worker, join};
use crate::text::printable;
use crate::transfer::between::{self, Job};

pub(super) async fn run(context: &Context, copy: &Copy) -> Result<u8, Failure> {
    let begun = Instant::now();
    let name = file_of(&copy.from)?;
    let to = if copy.to.is_directory() {
        join(&copy.to.path, name)
    } else {
        copy.to.path.clone()
    };
    let mut source = Worker::new(context.server(&copy.from)?);
    let mut target = Worker::new(context.server(&copy.to)?);
    let meter = context.meter(&printable(name), None, 0);
    let job = Job {
        from: copy.from.path.clone(),
        to: to.clone(),
        by: copy.by,
        force: copy.force,
        restart: copy.restart,
        verify: copy.verify,
    };
    let outcome = between::copy(context, &mut source, &mut target, &job, &meter).await;
    meter.bar().finish_and_clear();
    tokio::join!(source.quit(), target.quit());
    let outcome = outcome.map_err(|failure| failure.about(format!("copy {}", copy.from)))?;
    report(context, "across", &copy.to.at(to), None, &outcome, begun);
    Ok(0)
}
