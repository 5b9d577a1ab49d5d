//! What a mirror does besides moving bytes: making and removing.

use ftp_proto::command::Site;
use ftp_proto::{Argument, Command};

use super::{Run, Tally, Way, words};
use crate::console::{Event, Name};
use crate::failure::{Failure, Phase};
use crate::plan::Action;
use crate::session::{Worker, failure, join};
use crate::transfer::blocking;

impl Run<'_> {
    /// Does these in their order, on whichever side is the target.
    pub(super) async fn act(
        &self,
        workers: &mut [Worker],
        actions: &[Action],
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        match (self.way, workers.first_mut()) {
            (Way::Down, _) => {
                for action in actions {
                    let result = self.act_here(action).await;
                    self.tell_action(action, result, tally);
                }
                Ok(())
            }
            (Way::Up, Some(worker)) => self.act_there(worker, actions, tally).await,
            (Way::Up, None) => Ok(()),
        }
    }

    async fn act_here(&self, action: &Action) -> Result<(), Failure> {
        let folder = self.folder.clone();
        let copy = action.clone();
        blocking(move || match &copy {
            Action::MakeDirectory(path) => folder.make_directory(path),
            Action::MakeLink { path, text } => folder.make_link(path, text),
            Action::RemoveFile(path) => folder.remove_file(path),
            Action::RemoveDirectory(path) => folder.remove_directory(path),
            Action::Transfer { .. } => Ok(()),
        })
        .await
        .map_err(|error| Failure::local(&self.folder.display_path(action.path()), &error))
    }

    /// All commands of a batch are on their way before the first reply, where the server bears it.
    async fn act_there(
        &self,
        worker: &mut Worker,
        actions: &[Action],
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        for batch in actions.chunks(BATCH) {
            let mut commands = Vec::with_capacity(batch.len());
            for action in batch {
                let path = join(&self.url.path, action.path().as_bytes());
                let path = argument(path)?;
                commands.push(match action {
                    Action::MakeDirectory(_) => Command::Mkd(path),
                    Action::MakeLink { text, .. } => {
                        let target = argument(text.clone())?;
                        let site = Site::Symlink { target, path };
                        Command::Site(argument(site.to_bytes())?)
                    }
                    Action::RemoveFile(_) | Action::Transfer { .. } => Command::Dele(path),
                    Action::RemoveDirectory(_) => Command::Rmd(path),
                });
            }
            let session = worker.session().await?;
            let replies = session.commands(&commands).await.map_err(failure)?;
            for (action, reply) in batch.iter().zip(replies) {
                let result = if reply.code().number() / 100 == 2 {
                    Ok(())
                } else {
                    Err(Failure::new(Phase::Command, "refused").reply(reply))
                };
                self.tell_action(action, result, tally);
            }
        }
        Ok(())
    }

    fn tell_action(&self, action: &Action, result: Result<(), Failure>, tally: &mut Tally) {
        let (name, _) = words(action);
        match result {
            Ok(()) => {
                tally.good();
                self.context.console.event(&Event::Action {
                    action: name,
                    path: Name(action.path().as_bytes()),
                    done: true,
                });
            }
            Err(failure) => {
                let about = format!("{name} {}", action.path());
                tally.bad(self.context, &failure.about(about));
            }
        }
    }
}

fn argument(bytes: Vec<u8>) -> Result<Argument, Failure> {
    Argument::new(bytes).map_err(|error| Failure::new(Phase::Command, error.to_string()))
}

/// Commands on their way at once.
const BATCH: usize = 64;
