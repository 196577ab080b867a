import Dispatch

/// A thread for work on a disk, one piece after the other: a disk that hangs stops that work alone, and no task that others wait for.
package struct DiskThread: Sendable {
    private let queue: DispatchQueue

    package init(_ name: String) { queue = DispatchQueue(label: name) }

    package func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: work()) } }
    }
}
