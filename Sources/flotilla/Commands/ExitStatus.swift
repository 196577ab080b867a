import ArgumentParser

/// The exit statuses of all commands; docs/operations.md explains them.
enum ExitStatus: Int32 {
    /// Done as asked. `send`: every recipient has an end and somebody was sent to, or there was nothing new to do.
    case done = 0
    case failed = 1
    /// Work is left: a signal, or a stop.
    case interrupted = 2
    /// A worker lost results.
    case lostResults = 3
    /// The mailing is paused.
    case paused = 4
    /// The mailing has ended, and nobody was sent to; `mailing retry`: nobody is to be sent to again.
    case nobody = 5
    /// The mailing was sent before, or an earlier one of its identity has not ended.
    case sentBefore = 6
    /// `mailing check`: the mailing has faults.
    case faults = 7
    case usage = 64
}

extension ExitCode {
    init(_ status: ExitStatus) { self.init(status.rawValue) }
}
