//! Dispatch sends each message to the task of its stream, and starts a task when there is none.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::clerk::verdict::Unavailable;
use crate::domain::stream::StreamName;

use super::common::Common;
use super::inbox::Message;
use super::stream_task::StreamTask;

/// Sends a message to a stream's task, and starts a task when there is none.
pub(super) fn send(common: &Arc<Common>, stream: &StreamName, message: Message) {
    let mut tasks = common.tasks.lock();
    let message = match tasks.get(stream) {
        None => message,
        Some(task) => match task.send(message) {
            Ok(()) => return,
            // The task has panicked: another one takes its place.
            Err(unsent) => unsent.0,
        },
    };
    let Some(running) = common.running.lock().clone() else {
        // The clerk is stopping, and nothing of the message was decided.
        drop(tasks);
        return message.refuse(Unavailable::Stopping);
    };
    let (task, mailbox) = mpsc::unbounded_channel();
    let _open = task.send(message);
    tasks.insert(stream.clone(), task);
    let task = StreamTask::new(Arc::clone(common), stream.clone(), mailbox);
    common.runtime.spawn(async move {
        task.run().await;
        drop(running);
    });
}

/// Tells a stream's task that the stream may have been cut, deleted or mended. The task forgets what it knows of the
/// stream and reads it again now; a task is started for a stream that is not in use.
pub(super) fn look_again(common: &Arc<Common>, stream: &StreamName) {
    send(common, stream, Message::LookAgain);
}
