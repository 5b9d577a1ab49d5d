//! Work of a process that is done [aside](crate::aside).

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Process;
use crate::aside::Length;

impl Process {
    /// Has work done aside, one piece at a time in a machine; the time it takes is this process's. Where
    /// the machine has nobody for it, it is done here. `None` if it was given up on the way.
    pub async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.run_aside(work, Length::Short).await
    }

    /// The same for work that takes seconds: what is short goes on beside it.
    pub async fn long_aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.run_aside(work, Length::Long).await
    }

    async fn run_aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        length: Length,
    ) -> Option<T> {
        let Some(aside) = &self.kernel.aside else {
            return Some(work());
        };
        let turn = Arc::clone(&self.kernel.aside_turn);
        let turn = turn.acquire_owned().await.ok()?;
        let clock = Arc::clone(&self.kernel.clock);
        let (tell, told) = oneshot::channel();
        let piece = Box::new(move || {
            let begun = clock.processor();
            let result = work();
            let took = clock.processor().saturating_sub(begun);
            // Who waited may be gone; the next one's turn comes only now all the same.
            let _unwanted = tell.send((result, took)).is_err();
            drop(turn);
        });
        aside.run(piece, length);
        let (result, took) = told.await.ok()?;
        self.state.charge_cpu(&self.kernel, took);
        self.kernel.charge_cpu(took);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use crate::aside::{Aside, Work};
    use crate::budget::Limits;
    use crate::program::Program;
    use crate::testing::{ManualClock, config, drive_on, login};
    use crate::{ExitStatus, Machine, Process, lock};

    use super::*;

    async fn think(proc: &mut Process) -> ExitStatus {
        match proc.aside(|| 7).await {
            Some(answer) => ExitStatus::Exited(answer),
            None => ExitStatus::FAILURE,
        }
    }

    async fn idle(_proc: &mut Process) -> ExitStatus {
        ExitStatus::SUCCESS
    }

    const PROGRAMS: &[Program] = &[
        Program {
            name: "think",
            run: |p| Box::pin(think(p)),
        },
        Program {
            name: "idle",
            run: |p| Box::pin(idle(p)),
        },
    ];

    #[test]
    fn a_machine_has_one_piece_done_at_a_time_and_goes_on_meanwhile() {
        let clock = ManualClock::new(Duration::from_nanos(200));
        let queue: Arc<Mutex<Vec<Work>>> = Arc::default();
        let mut config = config(PROGRAMS, &clock, Limits::default());
        let taken = Arc::clone(&queue);
        config.aside = Some(Aside::new(move |work, _length| lock(&taken).push(work)));
        let (machine, mut scheduler) = Machine::new(config);
        let start = |name: &str| machine.login_on_pipes(login(&[name])).unwrap().0;
        let (first, second, third) = (start("think"), start("think"), start("idle"));
        let ended = drive_on(&clock, &mut scheduler, third.wait());
        assert_eq!(ended, Some(ExitStatus::SUCCESS));
        for thinker in [first, second] {
            assert_eq!(drive_on(&clock, &mut scheduler, async {}), Some(()));
            let mut waiting = std::mem::take(&mut *lock(&queue));
            assert_eq!(waiting.len(), 1);
            let work = waiting.remove(0);
            let before = machine.cpu_used();
            work();
            let ended = drive_on(&clock, &mut scheduler, thinker.wait());
            assert_eq!(ended, Some(ExitStatus::Exited(7)));
            assert!(machine.cpu_used() > before);
        }
    }
}
