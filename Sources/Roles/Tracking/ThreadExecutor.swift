import Dispatch

/// Has a thread of its own for tasks, which take turns on it. On Linux all other tasks share as many threads as there are cores, whatever
/// their priority, and one that does not suspend keeps its thread: requests that come without a pause leave the others no turn for seconds.
final class ThreadExecutor: TaskExecutor {
    private let queue: DispatchQueue

    init(_ name: String) { queue = DispatchQueue(label: name) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
